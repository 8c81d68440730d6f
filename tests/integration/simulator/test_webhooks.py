"""What is told to the business: signed, in Meta's shape, until it is heard."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from tests.support.polling import until

from .conftest import Receiver, Simulator


async def test_sent_delivered_and_read_come_signed_with_the_callback_data(
    simulator: Simulator, receiver: Receiver
) -> None:
    wamid = await simulator.text(biz_opaque_callback_data="message-1:1")
    await until(lambda: len(receiver.statuses(wamid)) == 3)
    statuses = receiver.statuses(wamid)
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
    assert all(post.signed for post in receiver.tries)
    for status in statuses:
        assert status["biz_opaque_callback_data"] == "message-1:1"
        assert status["recipient_id"] == simulator.customer
        assert status["timestamp"].isdigit()
        assert status["pricing"]["category"] == "service"
    value = receiver.posts[0].values[0]
    assert value["metadata"] == {"display_phone_number": "15550100001", "phone_number_id": simulator.number}
    assert value["contacts"][0]["wa_id"] == simulator.customer
    assert receiver.posts[0].body["entry"][0]["id"] == simulator.waba


async def test_a_webhook_is_told_again_until_it_gets_a_200(simulator: Simulator, receiver: Receiver) -> None:
    receiver.answers = [500, 503, 404, 301, 204]
    await simulator.control("PUT", "statuses", {"statuses": ["sent"], "delays": {"sent": 0}})
    wamid = await simulator.text()
    await until(lambda: receiver.statuses(wamid))
    assert len(receiver.tries) == 6
    assert len(receiver.posts) == 1
    assert all(post.body == receiver.tries[0].body for post in receiver.tries)
    _, counts = await simulator.control("GET", "webhooks")
    assert (counts["delivered"], counts["failed"], counts["pending"]) == (1, 5, 0)


async def test_the_waits_between_tries_double_up_to_the_cap(
    make_simulator: Callable[..., Any], receiver: Receiver
) -> None:
    simulator = await make_simulator(callback_url=receiver.url, webhook_backoff_first=0.1, webhook_backoff_cap=0.4)
    receiver.answers = [500] * 4
    await simulator.control("PUT", "statuses", {"statuses": ["sent"], "delays": {"sent": 0}})
    await simulator.text()
    await until(lambda: receiver.posts)
    times = [post.at for post in receiver.tries]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    for wait, expected in zip(waits, [0.1, 0.2, 0.4, 0.4], strict=True):
        assert expected * 0.95 <= wait <= expected + 1


async def test_what_a_receiver_missed_while_it_was_away_comes_when_it_is_back(
    simulator: Simulator, make_receiver: Callable[..., Any]
) -> None:
    await simulator.control("PUT", f"accounts/{simulator.number}", {"callback_url": "http://127.0.0.1:1/hook"})
    ids = [await simulator.text(f"text {number}") for number in range(20)]

    async def all_due() -> bool:
        return await simulator.waiting() == 60

    await until(all_due)
    back: Receiver = await make_receiver()
    await simulator.control("PUT", f"accounts/{simulator.number}", {"callback_url": back.url})
    await until(lambda: len(back.statuses()) == 60)
    assert {status["id"] for status in back.statuses()} == set(ids)


async def test_a_dead_receiver_does_not_hold_up_another_account(
    simulator: Simulator, receiver: Receiver, make_receiver: Callable[..., Any]
) -> None:
    other: Receiver = await make_receiver(secret="other-secret")
    await simulator.control(
        "PUT",
        "accounts/777",
        {"display_phone_number": "15550100777", "callback_url": other.url, "app_secret": "other-secret"},
    )
    receiver.refuse = lambda _: True
    for number in range(50):
        await simulator.text(f"text {number}")
    _, answer = await simulator.post({"to": simulator.customer, "text": {"body": "hi"}}, number="777")
    wamid = answer["messages"][0]["id"]
    await until(lambda: len(other.statuses(wamid)) == 3)
    assert all(post.signed for post in other.tries)
    assert len(other.statuses()) == 3
    assert receiver.posts == []


async def test_one_webhook_that_is_always_refused_holds_up_no_other(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("PUT", "statuses", {"statuses": ["sent"], "delays": {"sent": 0}, "batch_size": 1})
    poison = await simulator.text("refused")
    receiver.refuse = lambda body: poison in str(body)
    await until(lambda: receiver.tries)
    ids = [await simulator.text(f"text {number}") for number in range(50)]
    await until(lambda: len(receiver.statuses()) == 50)
    assert {status["id"] for status in receiver.statuses()} == set(ids)
    _, counts = await simulator.control("GET", "webhooks")
    assert counts["pending"] == 1
    assert counts["oldest_pending"] is not None


async def test_sends_are_refused_rather_than_webhooks_lost_when_a_receiver_is_far_behind(
    make_simulator: Callable[..., Any],
) -> None:
    simulator: Simulator = await make_simulator(callback_url="http://127.0.0.1:1/hook", webhook_pending_max=6)
    await simulator.text("three statuses")
    await simulator.text("three more")
    status, answer = await simulator.post({"to": simulator.customer, "text": {"body": "too much"}})
    assert (status, answer["error"]["code"], answer["error"]["is_transient"]) == (503, 131016, True)
    assert len(await simulator.ledger()) == 2


async def test_updates_are_batched_up_to_the_size_asked_for(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control(
        "PUT", "statuses", {"statuses": ["sent"], "delays": {"sent": 0.1}, "batch_size": 4, "window": 0.3}
    )
    await asyncio.gather(*(simulator.text(f"text {number}") for number in range(10)))
    await until(lambda: len(receiver.statuses()) == 10)
    sizes = [len(value["statuses"]) for post in receiver.posts for value in post.values]
    assert max(sizes) == 4
    assert len(receiver.posts) < 10


async def test_updates_can_spread_over_several_changes_and_entries(simulator: Simulator, receiver: Receiver) -> None:
    for layout in ("changes", "entries"):
        await simulator.control(
            "PUT",
            "statuses",
            {"statuses": ["sent"], "delays": {"sent": 0.1}, "batch_size": 100, "window": 0.5, "layout": layout},
        )
        receiver.posts.clear()
        await asyncio.gather(*(simulator.text(f"text {number}") for number in range(6)))
        await until(lambda: len(receiver.statuses()) == 6)
        entries = max(len(post.body["entry"]) for post in receiver.posts)
        changes = max(len(entry["changes"]) for post in receiver.posts for entry in post.body["entry"])
        assert (entries > 1, changes > 1) == (layout == "entries", layout == "changes")


async def test_statuses_come_twice_on_request(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("PUT", "statuses", {"doubled": True, "delays": {"sent": 0, "delivered": 0, "read": 0}})
    wamid = await simulator.text()
    await until(lambda: len(receiver.statuses(wamid)) == 6)
    names = sorted(status["status"] for status in receiver.statuses(wamid))
    assert names == ["delivered", "delivered", "read", "read", "sent", "sent"]


async def test_statuses_come_out_of_order_on_request_and_ticks_still_only_go_forward(
    simulator: Simulator, receiver: Receiver
) -> None:
    delays = {"sent": 0.01, "delivered": 0.05, "read": 0.09}
    await simulator.control("PUT", "statuses", {"shuffled": True, "delays": delays})
    ids = [await simulator.text(f"text {number}") for number in range(12)]
    await until(lambda: len(receiver.statuses()) == 36)
    orders = {tuple(status["status"] for status in receiver.statuses(wamid)) for wamid in ids}
    assert len(orders) > 1
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    assert {message["status"] for message in phone["messages"]} == {"read"}


async def test_no_webhook_is_larger_than_3_mb(make_simulator: Callable[..., Any], make_receiver: Any) -> None:
    receiver: Receiver = await make_receiver()
    simulator: Simulator = await make_simulator(callback_url=receiver.url)
    receiver.refuse = lambda _: True  # so that many wait, and could go together
    for number in range(60):
        words = chr(0x4E00 + number) * 30_000  # 90 kB each
        await simulator.control("POST", f"phones/{simulator.customer}/messages", {"text": words})
    receiver.refuse = lambda _: False
    await until(lambda: len(receiver.messages()) == 60)
    assert len({message["id"] for message in receiver.messages()}) == 60
    assert max(post.size for post in receiver.tries) <= 3_000_000


async def test_a_customers_words_come_as_meta_tells_them(simulator: Simulator, receiver: Receiver) -> None:
    wamid = await simulator.text("question")
    status, written = await simulator.control(
        "POST",
        f"phones/{simulator.customer}/messages",
        {"text": "answer", "context": {"id": wamid}, "name": "Ada"},
    )
    assert status == 200
    message = (await until(receiver.messages))[0]
    assert message["from"] == simulator.customer
    assert message["id"] == written["id"]
    assert message["text"] == {"body": "answer"}
    assert message["context"] == {"from": "15550100001", "id": wamid}
    assert message["from_user_id"].startswith("DE.")
    value = next(value for post in receiver.posts for value in post.values if "messages" in value)
    assert value["contacts"] == [
        {"profile": {"name": "Ada"}, "wa_id": simulator.customer, "user_id": message["from_user_id"]}
    ]


async def test_a_customer_without_a_number_has_no_wa_id(simulator: Simulator, receiver: Receiver) -> None:
    user_id = "US.13491208655302741918"
    await simulator.control("POST", f"phones/{user_id}/messages", {"text": "hi"})
    message = (await until(receiver.messages))[0]
    assert message["from_user_id"] == user_id
    assert "from" not in message
    value = next(value for post in receiver.posts for value in post.values if "messages" in value)
    assert "wa_id" not in value["contacts"][0]
    assert value["contacts"][0]["user_id"] == user_id


async def test_no_webhooks_are_made_for_an_app_that_is_not_subscribed(simulator: Simulator, receiver: Receiver) -> None:
    assert (await simulator.graph("DELETE", f"{simulator.waba}/subscribed_apps"))[0] == 200
    unheard = await simulator.text("unheard")

    async def all_told() -> bool:
        return await simulator.waiting("scheduled") == 0

    await until(all_told)
    assert (await simulator.graph("POST", f"{simulator.waba}/subscribed_apps"))[0] == 200
    wamid = await simulator.text("heard")
    await until(lambda: len(receiver.statuses(wamid)) == 3)
    assert receiver.statuses(unheard) == []


async def test_the_handshake_tells_whether_the_address_answers(simulator: Simulator, receiver: Receiver) -> None:
    path = f"accounts/{simulator.number}/verify"
    assert (await simulator.control("POST", path))[1] == {"verified": True, "reason": None}
    await simulator.control("PUT", f"accounts/{simulator.number}", {"verify_token": "wrong"})
    _, answer = await simulator.control("POST", path)
    assert answer["verified"] is False
    assert "403" in answer["reason"]


async def test_any_other_webhook_can_be_told(simulator: Simulator, receiver: Receiver) -> None:
    event = {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}
    assert (await simulator.control("POST", f"accounts/{simulator.number}/events", event))[0] == 202
    assert (await until(lambda: receiver.values("account_update")))[0] == {"event": "VERIFIED_ACCOUNT"}


async def test_stopping_marketing_is_told(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.control("POST", f"phones/{simulator.customer}/preferences", {"value": "stop"})
    preference = (await until(lambda: receiver.values("user_preferences")))[0]["user_preferences"][0]
    assert (preference["wa_id"], preference["category"], preference["value"]) == (
        simulator.customer,
        "marketing_messages",
        "stop",
    )
