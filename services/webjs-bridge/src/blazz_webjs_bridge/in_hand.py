"""The attempts that one session has in hand: each of them once, and those to one person one after another."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

Key = tuple[UUID, int]
"""A message's id and the number of the attempt."""


class InHand:
    """What is under way, from the first look at it until nobody has it in hand any more."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Future[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._under_way

    def get(self, key: Key) -> "asyncio.Future[None] | None":
        """Done when the broker may forget this attempt; None when nobody has it in hand."""
        return self._under_way.get(key)

    def take(self, key: Key) -> "asyncio.Future[None]":
        """Have it in hand from now on."""
        written = self._under_way[key] = asyncio.get_running_loop().create_future()
        return written

    def put_down(self, key: Key) -> None:
        """Nobody has it in hand any more."""
        self._under_way.pop(key, None)

    def turn(self, whom: str) -> asyncio.Lock:
        """Messages to one person leave in the order in which they were asked for."""
        turn = self._turns.get(whom)
        if turn is None:
            turn = self._turns[whom] = asyncio.Lock()
        return turn

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in a task of its own."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))
