"""A request becomes exactly one message on the customer's phone."""

from tests.support.polling import until

from .conftest import Build, World, item


async def test_a_text_is_sent_once_and_its_states_are_told(world: World) -> None:
    message_id = await world.send("+31611111111", "hi there")
    message = await world.until_status(message_id, "sent")
    (entry,) = await world.sent_of(message_id)
    assert entry["body"] == {"body": "hi there", "preview_url": False}
    assert message["provider_message_id"] == entry["wamid"]
    await world.status(item(message_id, 1, "delivered", entry["wamid"]), item(message_id, 1, "read", entry["wamid"]))
    await world.until_status(message_id, "read")
    await until(lambda: len(world.told("status.updated", message_id)) == 2)
    assert [i["status"] for i in world.told("status.updated", message_id)] == ["delivered", "read"]
    assert len(world.told("message.created", message_id)) == 1
    assert len(world.told("message.sent", message_id)) == 1


async def test_the_same_request_twice_is_sent_once(world: World) -> None:
    request = world.request("+31611111112")
    for _ in range(5):
        await world.publisher.publish(request)
    await world.until_status(request.message_id, "sent")
    later = await world.send("+31611111112")
    await world.until_status(later, "sent")
    assert len(await world.sent_of(request.message_id)) == 1
    assert len(world.told("message.created", request.message_id)) == 1


async def test_messages_of_one_conversation_leave_in_the_order_they_were_requested(world: World) -> None:
    ids = [await world.send("+31611111113", f"number {n}") for n in range(30)]
    await world.until_status(ids[-1], "sent")
    texts = [e["body"]["body"] for e in await world.ledger()]
    assert texts == [f"number {n}" for n in range(30)]


async def test_a_full_campaign_lane_does_not_delay_an_urgent_message(make_channel: Build) -> None:
    world = await make_channel({"messages_per_second": 10})
    bulk = [world.request(f"+3161200{n:04d}", lane="campaign") for n in range(200)]
    await world.publisher.publish_many(bulk)
    await world.until_status(bulk[0].message_id, "sent")
    urgent = await world.send("+31612999999")
    await world.until_status(urgent, "sent", within=5)
    assert (await world.message(bulk[-1].message_id)).get("status") in (None, "pending")
