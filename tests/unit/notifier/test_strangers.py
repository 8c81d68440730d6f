"""Sockets without a signed subscription take no more than their share."""

import asyncio
from typing import Any

from blazz_notifier.strangers import Strangers


class Socket:
    """As much of one as strangers have."""

    def __init__(self, number: int, address: str = "1.2.3.4") -> None:
        self.socket_id, self.address, self.stranger_since = f"{number}.1", address, 0.0
        self.loop = asyncio.get_running_loop()


def strangers(**limits: int) -> tuple[Any, list[str]]:
    gone: list[str] = []
    made = Strangers(**{"most": 100, "of_address": 100, **limits})
    made.part = lambda socket: gone.append(socket.socket_id)
    return made, gone


async def test_over_the_share_the_oldest_goes_and_the_newcomer_stays() -> None:
    made, gone = strangers(most=2)
    for number in range(4):
        made.add(Socket(number, str(number)))
    assert (gone, len(made)) == (["0.1", "1.1"], 2)


async def test_over_the_number_of_an_address_its_own_oldest_goes() -> None:
    made, gone = strangers(of_address=2)
    made.add(Socket(0, "other"))
    for number in range(1, 4):
        made.add(Socket(number))
    assert gone == ["1.1"]


async def test_who_has_a_signed_subscription_is_none() -> None:
    made, gone = strangers(most=2)
    known = Socket(0)
    made.add(known)
    made.discard(known)
    made.discard(known)
    for number in range(1, 3):
        made.add(Socket(number))
    assert (gone, len(made)) == ([], 2)
    assert [each.socket_id for each in made.since_before(asyncio.get_running_loop().time() + 1)] == ["1.1", "2.1"]
    assert not list(made.since_before(0))
