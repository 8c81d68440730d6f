"""Blazz's events as they reach clients, over two instances."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from blazz_contracts.events import (
    CampaignProgress,
    ContactUpdated,
    MessageChanged,
    MessageCreated,
    MessageFailed,
    MessageReceived,
    MessageSent,
    SessionUpdated,
    StatusUpdated,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = {"kind": "person"}


def ids() -> dict[str, UUID]:
    return {name: uuid4() for name in ("message_id", "conversation_id", "contact_id", "channel_id")}


def created(workspace: UUID, *texts: str, socket_id: str | None = None) -> MessageCreated:
    return MessageCreated.model_validate(
        {
            "workspace_id": workspace,
            "items": [
                {
                    **ids(),
                    "type": "text",
                    "content": {"type": "text", "body": text},
                    "text": text,
                    "origin": ORIGIN,
                    "created_at": NOW,
                    "socket_id": socket_id,
                }
                for text in texts
            ],
        }
    )


async def test_a_new_outgoing_message_is_chat_new(notifier, publisher):
    client = await (await notifier()).connect()
    workspace = uuid4()
    await client.subscribe(f"private-workspace.{workspace}")
    event = created(workspace, "hello")
    item = event.items[0]
    await publisher.publish(event)
    assert await client.next("chat.new") == {
        "chat": {
            "uuid": str(item.message_id),
            "conversation_id": str(item.conversation_id),
            "contact_id": str(item.contact_id),
            "channel_id": str(item.channel_id),
            "message": "hello",
            "type": "text",
            "content": {"type": "text", "body": "hello"},
            "direction": "outbound",
            "status": "pending",
            "created_at": "2026-01-02T03:04:05Z",
        }
    }


async def test_the_old_client_gets_new_chat_for_both_directions(notifier, publisher):
    client = await (await notifier()).connect()
    workspace = uuid4()
    await client.subscribe(f"private-chat.{workspace}")
    event = created(workspace, "out")
    received = MessageReceived(
        workspace_id=workspace,
        **ids(),
        provider_message_id="wamid.1",
        direction="inbound",
        type="text",
        content={"body": "in"},
        text="in",
        sent_at=NOW,
        created_at=NOW,
    )
    await publisher.publish(event)
    await publisher.publish(received)
    assert await client.next("new.chat") == {
        "message": {
            "id": str(event.items[0].message_id),
            "message": "out",
            "type": "text",
            "created_at": "2026-01-02T03:04:05Z",
            "contact_id": str(event.items[0].contact_id),
        }
    }
    second = await client.next("new.chat", count=2)
    assert (second["message"]["message"], second["message"]["id"]) == ("in", str(received.message_id))
    assert not client.named("chat.new")


async def test_a_customers_message_is_chat_new_inbound(notifier, publisher):
    client = await (await notifier()).connect()
    workspace = uuid4()
    await client.subscribe(f"presence-workspace.{workspace}", {"user_id": "1"})
    received = MessageReceived(
        workspace_id=workspace,
        **ids(),
        provider_message_id="wamid.1",
        direction="inbound",
        type="text",
        content={"body": "hi"},
        text="hi",
        contact_name="Ana",
        sent_at=NOW,
        created_at=NOW,
    )
    await publisher.publish(received)
    chat = (await client.next("chat.new"))["chat"]
    assert (chat["direction"], chat["status"], chat["message"], chat["contact_name"]) == (
        "inbound",
        "received",
        "hi",
        "Ana",
    )


async def test_sent_delivered_and_failed_are_one_chat_status_a_message_in_order(notifier, publisher):
    client = await (await notifier()).connect()
    workspace = uuid4()
    await client.subscribe(f"private-workspace.{workspace}")
    one, two = ids(), ids()
    sent = [{**each, "attempt": 1, "provider_message_id": "w", "at": NOW, "origin": ORIGIN} for each in (one, two)]
    await publisher.publish(MessageSent.model_validate({"workspace_id": workspace, "items": sent}))
    delivered = {**one, "status": "delivered", "at": NOW, "origin": ORIGIN}
    await publisher.publish(StatusUpdated.model_validate({"workspace_id": workspace, "items": [delivered]}))
    failure = {"code": "provider_131026", "title": "Not on WhatsApp", "provider_code": 131026}
    failed = {**two, "attempt": 1, "at": NOW, "origin": ORIGIN, "failure": failure}
    await publisher.publish(MessageFailed.model_validate({"workspace_id": workspace, "items": [failed]}))
    await client.next("chat.status", count=4)
    told = [each["chat"] for each in client.named("chat.status")]
    assert [(each["uuid"], each["status"]) for each in told] == [
        (str(one["message_id"]), "sent"),
        (str(two["message_id"]), "sent"),
        (str(one["message_id"]), "delivered"),
        (str(two["message_id"]), "failed"),
    ]
    assert told[3]["error"] == failure
    assert "error" not in told[0]
    assert told[0]["conversation_id"] == str(one["conversation_id"])


async def test_campaign_progress_and_contacts_reach_the_workspace(notifier, publisher):
    client = await (await notifier()).connect()
    workspace, campaign, contact = uuid4(), uuid4(), uuid4()
    await client.subscribe(f"private-workspace.{workspace}")
    counts = dict.fromkeys(
        ("queued", "requested", "sent", "delivered", "read", "failed", "unconfirmed", "cancelled"), 1
    )
    await publisher.publish(
        CampaignProgress.model_validate(
            {
                "workspace_id": workspace,
                "campaign_id": campaign,
                "display_name": "Spring",
                "state": "sending",
                "counts": {"total": 8, **counts},
                "at": NOW,
            }
        )
    )
    await publisher.publish(
        ContactUpdated(workspace_id=workspace, contact_id=contact, created=True, display_name="Ana", phone="+3519")
    )
    told = (await client.next("campaign.progress"))["campaign"]
    assert (told["uuid"], told["name"], told["state"], told["total"], told["failed"]) == (
        str(campaign),
        "Spring",
        "sending",
        8,
        1,
    )
    assert (await client.next("contact.updated"))["contact"]["uuid"] == str(contact)


async def test_the_socket_that_caused_it_does_not_get_it(notifier, publisher):
    instance = await notifier()
    workspace = uuid4()
    author, reader = await instance.connect(), await instance.connect()
    for client in (author, reader):
        await client.subscribe(f"private-workspace.{workspace}")
    await publisher.publish(created(workspace, "mine", socket_id=author.socket_id))
    await publisher.publish(created(workspace, "another's"))
    await author.next("chat.new")
    await reader.next("chat.new", count=2)
    assert [each["chat"]["message"] for each in author.named("chat.new")] == ["another's"]
    assert [each["chat"]["message"] for each in reader.named("chat.new")] == ["mine", "another's"]


async def test_listeners_of_every_instance_get_an_event_and_other_workspaces_do_not(notifier, publisher):
    first, second = await notifier(), await notifier()
    workspace, other = uuid4(), uuid4()
    here, there = await first.connect(), await second.connect()
    outsider = await second.connect()
    await here.subscribe(f"private-workspace.{workspace}")
    await there.subscribe(f"private-workspace.{workspace}")
    await outsider.subscribe(f"private-workspace.{other}")
    await publisher.publish(created(workspace, "both"))
    await publisher.publish(created(other, "outsider"))
    for client in (here, there):
        assert (await client.next("chat.new"))["chat"]["message"] == "both"
    assert (await outsider.next("chat.new"))["chat"]["message"] == "outsider"
    assert len(here.named("chat.new")) == len(there.named("chat.new")) == len(outsider.named("chat.new")) == 1


async def test_an_event_published_right_after_the_answer_is_never_missed(notifier, publisher):
    instance = await notifier()
    for _ in range(30):
        client, workspace = await instance.connect(), uuid4()
        await client.subscribe(f"private-workspace.{workspace}")
        await publisher.publish(created(workspace, "now"))
        await client.next("chat.new", within=2)


async def test_nobody_is_told_after_unsubscribing_and_the_workspace_is_unbound_later(notifier, publisher, eventually):
    instance = await notifier(notifier_linger=0.1)
    client, workspace = await instance.connect(), uuid4()
    channel = f"private-workspace.{workspace}"
    await client.subscribe(channel)
    assert instance.service.queue.bound(f"*.*.{workspace}")
    await client.send("pusher:unsubscribe", {"channel": channel})
    await client.ping()
    await publisher.publish(created(workspace, "too late"))
    await eventually(lambda: not instance.service.queue.bound(f"*.*.{workspace}"))
    await client.subscribe(channel)
    await publisher.publish(created(workspace, "again"))
    assert (await client.next("chat.new"))["chat"]["message"] == "again"


async def test_five_hundred_items_come_in_order_to_many(notifier, publisher):
    instance = await notifier()
    workspace = uuid4()
    clients = [await instance.connect() for _ in range(10)]
    for client in clients:
        await client.subscribe(f"private-workspace.{workspace}")
    texts = [str(number) for number in range(500)]
    await publisher.publish(created(workspace, *texts))
    for client in clients:
        await client.next("chat.new", count=500)
        assert [each["chat"]["message"] for each in client.named("chat.new")] == texts


async def test_an_edited_message_is_chat_changed(notifier, publisher):
    client = await (await notifier()).connect()
    workspace = uuid4()
    await client.subscribe(f"private-workspace.{workspace}")
    named = ids()
    event = MessageChanged(
        workspace_id=workspace, change="edited", content={"body": "at 6"}, text="at 6", at=NOW, **named
    )
    await publisher.publish(event)
    assert await client.next("chat.changed") == {
        "chat": {
            "uuid": str(named["message_id"]),
            "conversation_id": str(named["conversation_id"]),
            "contact_id": str(named["contact_id"]),
            "channel_id": str(named["channel_id"]),
            "change": "edited",
            "message": "at 6",
            "content": {"body": "at 6"},
            "at": "2026-01-02T03:04:05Z",
        }
    }


async def test_a_session_that_changed_is_session_updated_in_its_own_workspace_alone(notifier, publisher):
    server = await notifier()
    client, stranger = await server.connect(), await server.connect()
    workspace, other, session_id = uuid4(), uuid4(), uuid4()
    await client.subscribe(f"private-workspace.{workspace}")
    await stranger.subscribe(f"private-workspace.{other}")
    changed = SessionUpdated(
        workspace_id=workspace, session_id=session_id, revision=4, state="qr", since=NOW, qr_revision=2
    )
    await publisher.publish(changed)
    await publisher.publish(changed.model_copy(update={"workspace_id": other, "revision": 9}))
    assert await client.next("session.updated") == {
        "session": {
            "id": str(session_id),
            "state": "qr",
            "cause": None,
            "since": "2026-01-02T03:04:05Z",
            "phone": None,
            "qr_revision": 2,
            "revision": 4,
        }
    }
    assert (await stranger.next("session.updated"))["session"]["revision"] == 9
