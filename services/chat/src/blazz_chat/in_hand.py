"""What handlers have in hand, for one that must not overtake them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class InHand:
    """Blocks that are under way."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Future[BaseException | None], None] = {}

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Count as under way until the block is left."""
        done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self._open[done] = None
        failure: BaseException | None = None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            del self._open[done]
            done.set_result(failure)

    async def through(self) -> list[BaseException]:
        """Wait until what is under way now has been left; returns the errors by which some were."""
        waiting = list(self._open)
        if waiting:
            await asyncio.wait(waiting)
        return [failure for done in waiting if (failure := done.result()) is not None]
