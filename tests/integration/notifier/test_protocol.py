"""The Pusher protocol on a real socket, with a real broker and database behind it."""

import json
from uuid import uuid4

import pytest
from blazz_contracts.events import AccessRevoked


async def test_a_connection_is_established_with_a_socket_id_and_the_activity_timeout(notifier):
    instance = await notifier(notifier_activity_timeout=77)
    client = await instance.connect()
    raw = client.frames[0]
    assert raw["event"] == "pusher:connection_established"
    assert set(raw["data"]) == {"socket_id", "activity_timeout"}
    assert raw["data"]["activity_timeout"] == 77
    first, _, second = client.socket_id.partition(".")
    assert first.isdigit()
    assert second.isdigit()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/unknown?protocol=7", 4001),
        ("/elsewhere", 4005),
        ("/app/app-key/more", 4005),
        ("/app/app-key?protocol=seven", 4006),
        ("/app/app-key?protocol=4", 4007),
        ("/app/app-key?protocol=8", 4007),
    ],
)
async def test_what_cannot_be_served_is_told_and_closed_with_the_protocols_number(notifier, path, code):
    instance = await notifier()
    client = await instance.connect(path)
    assert client.frames[0]["event"] == "pusher:error"
    assert client.frames[0]["data"]["code"] == code
    assert await client.closed() == code


async def test_a_full_instance_asks_to_come_back_later(notifier):
    instance = await notifier(notifier_max_connections=1)
    await instance.connect()
    refused = await instance.connect()
    assert await refused.closed() == 4100


async def test_pages_of_other_origins_are_refused(notifier):
    instance = await notifier(notifier_allowed_origins="*.example.com, localhost")
    assert (await instance.connect(origin="https://app.example.com")).socket_id
    assert (await instance.connect()).socket_id
    assert await (await instance.connect(origin="https://example.org")).closed() == 4009


async def test_ping_is_answered(notifier):
    client = await (await notifier()).connect()
    await client.ping()


async def test_a_silent_client_is_pinged_and_stays_when_it_answers_and_goes_when_not(notifier):
    instance = await notifier(notifier_activity_timeout=0.2, notifier_pong_timeout=0.4)
    good, silent = await instance.connect(), await instance.connect()
    for round_ in range(1, 4):
        await good.next("pusher:ping", count=round_)
        await good.send("pusher:pong", {})
    assert await silent.closed() == 4201
    assert silent.named("pusher:error")[-1]["code"] == 4201
    await good.ping()


async def test_public_channels_need_no_signature(notifier):
    client = await (await notifier()).connect()
    assert await client.subscribe("news") == {}


@pytest.mark.parametrize("auth", [None, "", "app-key:00", "other:{good}", "{good}"])
async def test_private_channels_refuse_a_wrong_signature(notifier, auth):
    client = await (await notifier()).connect()
    channel = f"private-workspace.{uuid4()}"
    data = {"channel": channel}
    if auth is not None:
        data["auth"] = auth.format(good="0" * 64)
    await client.send("pusher:subscribe", data)
    error = await client.next("pusher:subscription_error", channel=channel)
    assert (error["type"], error["status"]) == ("AuthError", 401)
    assert client.named("pusher:error")[0]["code"] == 4009
    assert not client.named("pusher_internal:subscription_succeeded")


async def test_a_signature_of_another_socket_is_no_good(notifier):
    instance = await notifier()
    victim, thief = await instance.connect(), await instance.connect()
    thief_id, thief.socket_id = thief.socket_id, victim.socket_id
    await thief.subscribe(f"private-workspace.{uuid4()}", wait=False)
    assert (await thief.next("pusher:subscription_error"))["status"] == 401
    assert thief_id != victim.socket_id


async def test_a_signature_without_the_member_is_no_good_for_a_presence_channel(notifier):
    client = await (await notifier()).connect()
    channel = f"presence-workspace.{uuid4()}"
    await client.subscribe(channel, wait=False)
    error = await client.next("pusher:subscription_error")
    assert error["status"] == 400
    assert "user_id" in error["error"]


async def test_encrypted_channels_are_refused_clearly(notifier):
    client = await (await notifier()).connect()
    await client.subscribe("private-encrypted-secret", wait=False)
    assert "Encrypted channels are not supported" in (await client.next("pusher:subscription_error"))["error"]


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"event":1}', '{"event":"pusher:what"}', '{"event":"x"}'])
async def test_messages_that_cannot_be_read_are_told_and_the_socket_stays(notifier, text):
    client = await (await notifier()).connect()
    await client.connection.send(text)
    assert (await client.next("pusher:error"))["code"] == 4200
    await client.ping()


async def test_data_may_be_a_json_string_as_some_clients_send_it(notifier):
    client = await (await notifier()).connect()
    await client.send("pusher:subscribe", json.dumps({"channel": "news"}))
    await client.next("pusher_internal:subscription_succeeded", channel="news")


async def test_subscribing_again_is_answered_again(notifier):
    client = await (await notifier()).connect()
    channel = f"private-workspace.{uuid4()}"
    await client.subscribe(channel)
    await client.subscribe(channel)


async def test_a_socket_has_so_many_channels_and_no_more(notifier):
    client = await (await notifier(notifier_socket_channels=2)).connect()
    await client.subscribe("one")
    await client.subscribe("two")
    await client.subscribe("three", wait=False)
    assert (await client.next("pusher:subscription_error"))["type"] == "LimitReached"
    await client.send("pusher:unsubscribe", {"channel": "one"})
    await client.subscribe("three")


async def test_a_workspace_has_so_many_sockets_and_no_more(notifier):
    instance = await notifier(notifier_workspace_connections=1)
    workspace, other = uuid4(), uuid4()
    first, second, third = [await instance.connect() for _ in range(3)]
    await first.subscribe(f"private-workspace.{workspace}")
    await first.subscribe(f"private-chat.{workspace}")
    await second.subscribe(f"private-workspace.{workspace}", wait=False)
    assert await second.closed() == 4004
    await third.subscribe(f"private-workspace.{other}")
    await first.close()
    fourth = await instance.connect()
    await fourth.subscribe(f"private-workspace.{workspace}")


async def test_a_message_that_is_too_large_closes_the_socket(notifier):
    client = await (await notifier(notifier_message_bytes=1000)).connect()
    await client.connection.send("x" * 10_000)
    assert await client.closed() == 1009


async def test_a_flood_is_read_slowly_and_harms_nobody(notifier):
    instance = await notifier(notifier_message_rate=50)
    flooding, calm = await instance.connect(), await instance.connect()
    for _ in range(150):
        await flooding.send("pusher:ping", {})
    await calm.ping()
    assert len(flooding.named("pusher:pong")) < 150
    await flooding.next("pusher:pong", count=150)


async def test_revoked_access_closes_its_sockets_alone(notifier, publisher):
    instance = await notifier()
    workspace, other = uuid4(), uuid4()
    revoked, kept, foreign = [await instance.connect() for _ in range(3)]
    await revoked.subscribe(f"private-workspace.{workspace}")
    await kept.subscribe(f"private-workspace.{workspace}")
    await foreign.subscribe(f"private-workspace.{other}")
    # A foreign socket named in this workspace's event is none of its business.
    await publisher.publish(
        AccessRevoked(workspace_id=workspace, socket_ids=[revoked.socket_id, foreign.socket_id], reason="token deleted")
    )
    assert await revoked.closed() == 4009
    assert "token deleted" in revoked.named("pusher:error")[-1]["message"]
    await kept.ping()
    await foreign.ping()


async def test_a_signature_obtained_before_access_was_revoked_is_no_good_after(notifier, publisher, eventually):
    instance = await notifier()
    workspace, other = uuid4(), uuid4()
    client = await instance.connect()
    # Nobody here listens to that workspace.
    await publisher.publish(
        AccessRevoked(workspace_id=workspace, socket_ids=[client.socket_id], reason="membership ended")
    )
    await eventually(lambda: instance.service.registry.sockets[client.socket_id].barred)
    await client.subscribe(f"private-workspace.{workspace}", wait=False)
    assert (await client.next("pusher:subscription_error"))["status"] == 401
    await client.subscribe(f"private-workspace.{other}")


async def test_a_stopping_instance_asks_everybody_to_reconnect_at_once(notifier):
    instance = await notifier()
    clients = [await instance.connect() for _ in range(20)]
    await instance.stop()
    assert [client.close_code for client in clients] == [4200] * 20


async def test_a_socket_does_not_live_for_longer_than_it_is_known_whose_it_is(notifier):
    instance = await notifier(notifier_socket_days=0.1 / 86_400)
    assert await (await instance.connect()).closed() == 4200


async def test_what_is_subscribed_and_unsubscribed_at_once_counts_for_nothing(notifier, eventually):
    instance = await notifier(notifier_workspace_connections=1, notifier_linger=0)
    workspace = uuid4()
    client, other = await instance.connect(), await instance.connect()
    for channel in (f"private-workspace.{workspace}", f"presence-workspace.{workspace}"):
        member = {"user_id": "1"} if channel.startswith("presence") else None
        wire = client.connection
        for event, data in (
            ("pusher:subscribe", client.subscription(channel, member)),
            ("pusher:unsubscribe", {"channel": channel}),
        ):
            wire.protocol.send_text(json.dumps({"event": event, "data": data}).encode())
        wire.transport.write(b"".join(wire.protocol.data_to_send()))
        await client.ping()
    await eventually(lambda: not instance.service.registry.sockets[client.socket_id].workspaces)
    await other.subscribe(f"private-workspace.{workspace}")


async def test_sockets_without_a_signed_subscription_crowd_out_each_other_and_nobody_else(notifier, eventually):
    instance = await notifier(notifier_max_connections=6, notifier_stranger_share=0.5)
    known = [await instance.connect() for _ in range(2)]
    for client in known:
        await client.subscribe(f"private-workspace.{uuid4()}")
    strangers = [await instance.connect() for _ in range(5)]
    for stranger in strangers[:2]:
        await stranger.closed()
        assert stranger.named("pusher:error")[-1]["code"] == 4100
    for client in (*known, *strangers[2:]):
        await client.ping()
    # Whoever gives their private channel up is one of them again.
    channel = next(iter(instance.service.registry.sockets[known[0].socket_id].channels))
    await known[0].send("pusher:unsubscribe", {"channel": channel})
    await strangers[2].closed()
    await known[0].ping()


async def test_a_socket_without_a_signed_subscription_does_not_stay_for_ever(notifier):
    instance = await notifier(notifier_stranger_seconds=0.3)
    known, public = await instance.connect(), await instance.connect()
    await known.subscribe(f"private-workspace.{uuid4()}")
    await public.subscribe("news")
    assert await public.closed() == 4200
    await known.ping()


async def test_public_channels_have_a_number(notifier):
    instance = await notifier(notifier_public_channels=2)
    client = await instance.connect()
    for channel in ("one", "two"):
        await client.subscribe(channel)
    await client.subscribe("three", wait=False)
    assert (await client.next("pusher:subscription_error", channel="three"))["status"] == 409
    await client.subscribe(f"private-workspace.{uuid4()}")
    await client.send("pusher:unsubscribe", {"channel": "one"})
    await client.subscribe("three")


@pytest.mark.parametrize("path", ["/app/app-key", "//[/app"])
async def test_an_origin_or_a_path_that_is_none_is_refused_as_one(notifier, path):
    instance = await notifier(notifier_allowed_origins="*.example.com")
    client = await instance.connect(path, additional_headers={"Origin": "http://["})
    assert await client.closed() == (4009 if path == "/app/app-key" else 4005)


async def test_nobody_is_crowded_out_by_who_is_gone(notifier, eventually):
    instance = await notifier(notifier_strangers_of_address=1)
    known = await instance.connect()
    await known.subscribe(f"private-workspace.{uuid4()}")
    stranger = await instance.connect()
    await known.close()
    await eventually(lambda: len(instance.service.registry.sockets) == 1)
    await stranger.ping()
