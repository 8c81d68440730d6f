"""The control API: what it refuses, accounts, reset."""

import asyncio
from typing import Any

import pytest

from tests.support.polling import until

from .conftest import Receiver, Simulator


@pytest.mark.parametrize(
    ("method", "path", "data", "field"),
    [
        ("PUT", "faults", {"kind": "nonsense"}, "kind"),
        ("PUT", "faults", {"kind": "slow", "share": 2}, "share"),
        ("PUT", "faults", {"kind": "slow", "speed": 2}, "speed"),
        ("PUT", "faults", [{"kind": "slow"}, {"kind": "slow", "count": 0}], "faults.1.count"),
        ("PUT", "statuses", {"statuses": ["seen"]}, "statuses.0"),
        ("PUT", "statuses", {"delays": {"sent": -1}}, "delays"),
        ("PUT", "statuses", {"batch_size": 1001}, "batch_size"),
        ("PUT", "rules", {"throughput": 0}, "throughput"),
        ("PUT", "accounts/777", {"display_phone_number": "abc"}, "display_phone_number"),
        ("PUT", "accounts/777", {"callback_url": "ftp://x"}, "callback_url"),
        ("PUT", "accounts/777", {"phone_number_id": "778"}, "phone_number_id"),
        ("POST", "phones/4915112345678/messages", {"txt": "hi"}, "type"),
        ("POST", "phones/4915112345678/messages", {"text": ""}, "text"),
        ("POST", "phones/4915112345678/messages", {"text": "hi", "extra": 1}, "extra"),
        ("POST", "phones/4915112345678/messages", {"type": "location"}, "location"),
        ("POST", "phones/4915112345678/messages", {"text": "hi", "from_user_id": "x"}, "from_user_id"),
        ("POST", "phones/abc/messages", {"text": "hi"}, "number"),
        ("POST", "phones/4915112345678/preferences", {"value": "maybe"}, "value"),
        ("POST", "reset", {"everything": True}, "everything"),
        ("GET", "ledger?after=x", None, "after"),
        ("GET", "ledger?limit=0", None, "limit"),
    ],
)
async def test_bad_input_is_refused_and_the_field_named(
    simulator: Simulator, method: str, path: str, data: Any, field: str
) -> None:
    status, answer = await simulator.control(method, path, data)
    assert status == 422
    assert answer["error"]["code"] == "bad_input"
    assert field in answer["error"]["fields"]


async def test_a_body_that_is_not_json_is_refused(simulator: Simulator) -> None:
    async with simulator.http.put(f"{simulator.url}/_sim/faults", data=b"{") as answer:
        assert answer.status == 422
        assert "body" in (await answer.json())["error"]["fields"]


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "accounts/778", None),
        ("DELETE", "faults/none", None),
        ("PUT", "templates/1", {"status": "PAUSED"}),
        ("POST", "phones/4915112345678/messages", {"text": "hi", "to": "778"}),
    ],
)
async def test_what_is_not_there_is_not_found(simulator: Simulator, method: str, path: str, data: Any) -> None:
    status, answer = await simulator.control(method, path, data)
    assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_a_customer_answers_whoever_wrote_last_unless_another_is_named(simulator: Simulator) -> None:
    await simulator.control("PUT", "accounts/777", {"display_phone_number": "+1 555 010 0777"})
    path = f"phones/{simulator.customer}/messages"
    assert (await simulator.control("POST", path, {"text": "first"}))[1]["to"] == simulator.number
    await simulator.post({"to": simulator.customer, "text": {"body": "hi"}}, number="777")
    assert (await simulator.control("POST", path, {"text": "to the last"}))[1]["to"] == "777"
    _, answer = await simulator.control("POST", path, {"text": "named", "to": "15550100001"})
    assert answer["to"] == simulator.number


async def test_an_account_can_be_added_changed_and_removed(simulator: Simulator) -> None:
    status, made = await simulator.control("PUT", "accounts/777", {"display_phone_number": "15550100777"})
    assert (status, made["access_token"], made["callback_url"]) == (201, simulator.token, None)
    status, changed = await simulator.control("PUT", "accounts/777", {"verified_name": "Other"})
    assert (status, changed["verified_name"], changed["display_phone_number"]) == (200, "Other", "15550100777")
    _, listed = await simulator.control("GET", "accounts")
    assert [account["phone_number_id"] for account in listed["accounts"]] == [simulator.number, "777"]
    assert (await simulator.control("DELETE", "accounts/777"))[0] == 200
    assert (await simulator.post({"to": simulator.customer, "text": {"body": "hi"}}, number="777"))[0] == 400
    assert (await simulator.control("DELETE", f"accounts/{simulator.number}"))[0] == 422


async def test_a_reset_forgets_what_happened_but_keeps_accounts(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("PUT", "accounts/777", {"display_phone_number": "15550100777"})
    receiver.refuse = lambda _: True
    await simulator.text()
    await until(lambda: receiver.tries)
    await simulator.control("PUT", "faults", {"kind": "slow"})
    _, answer = await simulator.control("POST", "reset")
    assert await simulator.ledger() == []
    _, counts = await simulator.control("GET", "webhooks")
    assert (counts["pending"], counts["scheduled"], counts["delivered"], counts["failed"]) == (0, 0, 0, 0)
    assert (await simulator.control("GET", "faults"))[1] == {"faults": []}
    assert (await simulator.control("GET", "phones"))[1] == {"phones": [], "total": 0}
    assert len((await simulator.control("GET", "accounts"))[1]["accounts"]) == 2
    receiver.refuse = lambda _: False
    tries = len(receiver.tries)
    wamid = await simulator.text("afterwards")
    await until(lambda: len(receiver.statuses(wamid)) == 3)
    assert {status["id"] for status in receiver.statuses()} == {wamid}
    assert len(receiver.tries) > tries
    assert (await simulator.ledger(answer["next"]))[0]["wamid"] == wamid


async def test_the_phone_list_is_bounded_and_the_idle_ones_go_first(make_simulator: Any) -> None:
    simulator: Simulator = await make_simulator(phones_max=3, phone_messages_max=2)
    for number in range(5):
        await simulator.text(to=f"491511234560{number}")
    for number in range(4):
        await simulator.text(f"text {number}", to="4915112345604")
    _, listed = await simulator.control("GET", "phones")
    assert [phone["number"] for phone in listed["phones"]] == ["4915112345604", "4915112345603", "4915112345602"]
    _, phone = await simulator.control("GET", "phones/4915112345604/messages")
    assert [message["text"]["body"] for message in phone["messages"]] == ["text 2", "text 3"]


async def test_health_answers_while_sends_run(simulator: Simulator) -> None:
    await asyncio.gather(*(simulator.text(f"text {number}") for number in range(20)))
    status, health = await simulator.control("GET", "health")
    assert (status, health["status"], health["ledger"]) == (200, "ok", {"first": 1, "last": 20})
