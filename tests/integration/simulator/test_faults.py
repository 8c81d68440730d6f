"""Faults on request: each does what it says, to whom it names, as often as it says."""

import asyncio
import time

import aiohttp
import pytest

from tests.support.polling import until

from .conftest import Receiver, Simulator

TEXT = {"to": Simulator.customer, "text": {"body": "hi"}}


@pytest.mark.parametrize(
    ("fault", "http_status", "code"),
    [
        ({"kind": "rate_limit"}, 429, 130429),
        ({"kind": "rate_limit", "codes": [80007]}, 400, 80007),
        ({"kind": "server_error"}, 500, 131000),
        ({"kind": "server_error", "http": 502}, 502, 131000),
        ({"kind": "error", "codes": [131026]}, 400, 131026),
        ({"kind": "error", "codes": [368]}, 403, 368),
    ],
)
async def test_a_refusal_carries_the_code_asked_for_and_nothing_is_sent(
    simulator: Simulator, fault: dict[str, object], http_status: int, code: int
) -> None:
    await simulator.control("PUT", "faults", {**fault, "count": 1})
    status, answer = await simulator.post(TEXT)
    assert (status, answer["error"]["code"]) == (http_status, code)
    assert await simulator.ledger() == []
    await simulator.text("spent")
    assert (await simulator.control("GET", "faults"))[1]["faults"][0]["hits"] == 1


async def test_a_dropped_answer_leaves_an_accepted_message_that_is_delivered(
    simulator: Simulator, receiver: Receiver
) -> None:
    await simulator.control("PUT", "faults", {"kind": "drop_after_accept", "count": 1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await simulator.post({**TEXT, "biz_opaque_callback_data": "lost:1"})
    entry = (await simulator.ledger())[0]
    assert entry["biz_opaque_callback_data"] == "lost:1"
    await until(lambda: len(receiver.statuses(entry["wamid"])) == 3)
    assert receiver.statuses(entry["wamid"])[0]["biz_opaque_callback_data"] == "lost:1"


@pytest.mark.parametrize("kind", ["drop_before_accept", "unreachable"])
async def test_a_dropped_call_leaves_nothing(simulator: Simulator, kind: str) -> None:
    await simulator.control("PUT", "faults", {"kind": kind})
    with pytest.raises(aiohttp.ClientConnectionError):
        await simulator.post(TEXT)
    assert await simulator.ledger() == []
    await simulator.control("DELETE", "faults")
    await simulator.text("back")


async def test_an_error_can_come_in_the_status_only(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("PUT", "faults", {"kind": "error", "codes": [131049], "where": "status"})
    wamid = await simulator.text(biz_opaque_callback_data="m:1")
    failed = (await until(lambda: receiver.statuses(wamid)))[0]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131049)
    assert failed["errors"][0]["error_data"]["details"]
    assert failed["biz_opaque_callback_data"] == "m:1"
    assert "contacts" not in receiver.posts[0].values[0]
    assert len(await simulator.ledger()) == 1


async def test_an_error_can_come_in_the_answer_and_in_the_status(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("PUT", "faults", {"kind": "error", "codes": [131026], "where": "both"})
    status, answer = await simulator.post({**TEXT, "biz_opaque_callback_data": "m:1"})
    assert (status, answer["error"]["code"]) == (400, 131026)
    failed = (await until(receiver.statuses))[0]
    assert (failed["errors"][0]["code"], failed["biz_opaque_callback_data"]) == (131026, "m:1")
    assert await simulator.ledger() == []


async def test_a_slow_call_is_accepted_only_after_its_time(simulator: Simulator) -> None:
    await simulator.control("PUT", "faults", {"kind": "slow", "seconds": 1})
    started = time.monotonic()
    sending = asyncio.create_task(simulator.text())
    await until(lambda: _hit(simulator))
    entries, waited = await simulator.ledger(), time.monotonic() - started
    assert entries == [] or waited >= 1
    await sending
    assert time.monotonic() - started >= 1


async def test_a_slow_answer_comes_long_after_the_message_was_accepted(simulator: Simulator) -> None:
    await simulator.control("PUT", "faults", {"kind": "slow_after_accept", "seconds": 1})
    started = time.monotonic()
    sending = asyncio.create_task(simulator.text())
    await until(simulator.ledger)
    assert not sending.done() or time.monotonic() - started >= 1
    await sending
    assert time.monotonic() - started >= 1


async def _hit(simulator: Simulator) -> bool:
    _, answer = await simulator.control("GET", "faults")
    return bool(answer["faults"][0]["hits"])


async def test_webhooks_are_delayed_on_request(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("PUT", "faults", {"kind": "webhook_delay", "seconds": 0.4})
    started = time.monotonic()
    await simulator.text()
    await until(receiver.statuses)
    assert receiver.tries[0].at - started >= 0.4


async def test_a_fault_hits_only_whom_it_names(simulator: Simulator) -> None:
    await simulator.control("PUT", "faults", {"kind": "rate_limit", "to": "+49 151 12345678"})
    assert (await simulator.post(TEXT))[0] == 429
    await simulator.text(to="4915112345679")
    await simulator.control("PUT", "faults", [{"kind": "rate_limit", "phone_number_id": "777"}])
    await simulator.text()


async def test_the_same_seed_throws_the_same_dice(simulator: Simulator) -> None:
    runs = []
    for _ in range(2):
        fault = {"kind": "server_error", "share": 0.5}
        await simulator.control("PUT", "faults", {"faults": [fault], "seed": 7})
        runs.append([(await simulator.post(TEXT))[0] for _ in range(30)])
    assert runs[0] == runs[1]
    assert {200, 500} == set(runs[0])


async def test_media_calls_fail_when_the_fault_names_their_path(simulator: Simulator) -> None:
    await simulator.control("PUT", "faults", {"kind": "server_error", "path": "media"})
    assert (await simulator.upload(b"x", "image/png"))[0] == 500
    await simulator.text("not media")
