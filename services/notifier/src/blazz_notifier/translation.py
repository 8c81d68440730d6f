"""Blazz's events as the clients see them.

`private-workspace.{id}` and `presence-workspace.{id}` get the names and shapes of docs/websocket.md,
`private-chat.{id}` those of the old client.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from blazz_contracts import Event
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
from blazz_contracts.message import Status

from blazz_notifier import frame
from blazz_notifier.channel_name import ChannelKind, ChannelName
from blazz_notifier.fanout import Batch
from blazz_notifier.registry import Registry


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """One message for clients; `data` is the JSON text, so that it is encoded once for all channels."""

    event: str
    data: str
    except_socket_id: str | None = None


def _json(data: dict[str, Any]) -> str:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z).decode()


def _chat_new(event: Event) -> list[ClientMessage]:
    if isinstance(event, MessageReceived):
        chat = {
            "uuid": event.message_id,
            "conversation_id": event.conversation_id,
            "contact_id": event.contact_id,
            "channel_id": event.channel_id,
            "message": event.text,
            "type": event.type,
            "content": event.content,
            "direction": event.direction,
            "status": "received",
            "contact_name": event.contact_name,
            "sent_at": event.sent_at,
            "created_at": event.created_at,
        }
        return [ClientMessage("chat.new", _json({"chat": chat}))]
    assert isinstance(event, MessageCreated)
    return [
        ClientMessage(
            "chat.new",
            _json(
                {
                    "chat": {
                        "uuid": item.message_id,
                        "conversation_id": item.conversation_id,
                        "contact_id": item.contact_id,
                        "channel_id": item.channel_id,
                        "message": item.text,
                        "type": item.type,
                        "content": item.content,
                        "direction": "outbound",
                        "status": Status.PENDING,
                        "created_at": item.created_at,
                    }
                }
            ),
            item.socket_id,
        )
        for item in event.items
    ]


def _chat_status(event: Event) -> list[ClientMessage]:
    assert isinstance(event, MessageSent | MessageFailed | StatusUpdated)
    told = []
    for item in event.items:
        status = getattr(item, "status", Status.FAILED if isinstance(event, MessageFailed) else Status.SENT)
        chat: dict[str, Any] = {
            "uuid": item.message_id,
            "contact_id": item.contact_id,
            "conversation_id": item.conversation_id,
            "status": status,
            "at": item.at,
        }
        failure = getattr(item, "failure", None)
        if failure is not None:
            chat["error"] = {
                "code": failure.code,
                "title": failure.title,
                "provider_code": failure.provider_code,
            }
        told.append(ClientMessage("chat.status", _json({"chat": chat})))
    return told


def _chat_changed(event: Event) -> list[ClientMessage]:
    assert isinstance(event, MessageChanged)
    chat = {
        "uuid": event.message_id,
        "conversation_id": event.conversation_id,
        "contact_id": event.contact_id,
        "channel_id": event.channel_id,
        "change": event.change,
        "message": event.text,
        "content": event.content,
        "at": event.at,
    }
    return [ClientMessage("chat.changed", _json({"chat": chat}))]


def _session_updated(event: Event) -> list[ClientMessage]:
    assert isinstance(event, SessionUpdated)
    # The code itself is not told: whoever may ask for it does so over HTTP.
    session = {
        "id": event.session_id,
        "state": event.state,
        "cause": event.cause,
        "since": event.since,
        "phone": event.phone,
        "qr_revision": event.qr_revision,
        "revision": event.revision,
    }
    return [ClientMessage("session.updated", _json({"session": session}))]


def _campaign_progress(event: Event) -> list[ClientMessage]:
    assert isinstance(event, CampaignProgress)
    campaign = {
        "uuid": event.campaign_id,
        "name": event.display_name,
        "state": event.state,
        **event.counts.model_dump(),
        "at": event.at,
    }
    return [ClientMessage("campaign.progress", _json({"campaign": campaign}))]


def _contact_updated(event: Event) -> list[ClientMessage]:
    assert isinstance(event, ContactUpdated)
    contact = {
        "uuid": event.contact_id,
        "name": event.display_name,
        "phone": event.phone,
        "user_id": event.user_id,
        "marketing_opt_out": event.marketing_opt_out,
        "created": event.created,
    }
    return [ClientMessage("contact.updated", _json({"contact": contact}))]


def _old_new_chat(event: Event) -> list[ClientMessage]:
    assert isinstance(event, MessageCreated | MessageReceived)
    items = event.items if isinstance(event, MessageCreated) else [event]
    return [
        ClientMessage(
            "new.chat",
            _json(
                {
                    "message": {
                        "id": item.message_id,
                        "message": item.text,
                        "type": item.type,
                        "created_at": item.created_at,
                        "contact_id": item.contact_id,
                    }
                }
            ),
            getattr(item, "socket_id", None),
        )
        for item in items
    ]


Translate = Callable[[Event], list[ClientMessage]]
WORKSPACE_EVENTS: dict[type[Event], Translate] = {
    MessageCreated: _chat_new,
    MessageReceived: _chat_new,
    MessageSent: _chat_status,
    MessageFailed: _chat_status,
    StatusUpdated: _chat_status,
    MessageChanged: _chat_changed,
    SessionUpdated: _session_updated,
    CampaignProgress: _campaign_progress,
    ContactUpdated: _contact_updated,
}
OLD_CLIENT_EVENTS: dict[type[Event], Translate] = {MessageCreated: _old_new_chat, MessageReceived: _old_new_chat}


def is_workspace_channel(channel: ChannelName) -> bool:
    """`private-workspace.{id}` or `presence-workspace.{id}`, nothing behind it."""
    return (
        channel.kind is not ChannelKind.PUBLIC
        and channel.topic == "workspace"
        and channel.name.lower().endswith(f"workspace.{channel.workspace_id}")
    )


def is_old_client_channel(channel: ChannelName) -> bool:
    """`private-chat.{id}`."""
    return channel.name.lower() == f"private-chat.{channel.workspace_id}"


def batches(event: Event, registry: Registry) -> list[Batch]:
    """What goes to whom of those who listen here: one batch a channel."""
    made: list[Batch] = []
    translated: dict[Translate, list[ClientMessage]] = {}
    for channel in registry.channels_of(event.workspace_id):
        if is_workspace_channel(channel):
            translate = WORKSPACE_EVENTS.get(type(event))
        elif is_old_client_channel(channel):
            translate = OLD_CLIENT_EVENTS.get(type(event))
        else:
            continue
        if translate is None:
            continue
        if translate not in translated:
            translated[translate] = translate(event)
        batch = Batch(channel.name)
        for told in translated[translate]:
            batch.add(frame.message(told.event, channel=channel.name, encoded=told.data), told.except_socket_id)
        made.append(batch)
    return made
