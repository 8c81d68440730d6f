"""What the page brought, as the fact that chat hears: the same shape as from the Cloud API. Pure."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_contracts.events import ProviderMessage

from blazz_webjs_bridge.page.facts import Called, Edited, Reacted, Revoked
from blazz_webjs_bridge.page.words import Somebody, WebMessage
from blazz_webjs_bridge.session import Session


def at(seconds: int) -> datetime:
    """A moment of WhatsApp's clock."""
    return datetime.fromtimestamp(max(0, min(seconds, 4_102_444_800)), UTC)  # garbage stays from 1970 to 2100


def message(session: Session, told: WebMessage, *, media: dict[str, Any] | None = None) -> ProviderMessage:
    """A message, with what became of its file: `{media_id}` or `{media_error}`."""
    extra: dict[str, Any] = {}
    if told.forwarded:
        extra["forwarded"] = True
    if told.raw_type and told.type == "unsupported":
        extra["raw_type"] = told.raw_type
    return _told(
        session,
        told.id,
        told.person,
        told.type,
        _content(told) | (media or {}),
        told.at,
        echo=told.from_me,
        group=told.group,
        quoted=told.quoted,
        extra=extra,
    )


def _content(told: WebMessage) -> dict[str, Any]:
    content: dict[str, Any] = dict(told.content)
    if told.type == "text":
        content["body"] = told.text or ""
    elif told.text:
        content["caption"] = told.text
    if told.file is not None:
        content |= told.file.model_dump(exclude_none=True, exclude_defaults=True) | {"mime_type": told.file.mime_type}
    return content


def edited(session: Session, told: Edited) -> ProviderMessage:
    """Who wrote a message changed it."""
    content = {"message_id": told.id, "type": told.message.type, **_content(told.message)}
    return _told(
        session,
        f"{told.id}:edit:{told.at}",
        told.message.person,
        "edit",
        content,
        told.at,
        echo=told.message.from_me,
        group=told.message.group,
    )


def revoked(session: Session, told: Revoked) -> ProviderMessage:
    """Who wrote a message took it back."""
    content = {"message_id": told.id}
    return _told(
        session, f"{told.id}:revoke", told.person, "revoke", content, told.at, echo=told.from_me, group=told.group
    )


def reacted(session: Session, told: Reacted) -> ProviderMessage:
    """Somebody put an emoji on a message."""
    content = {"message_id": told.target, "emoji": told.emoji}
    return _told(session, told.id, told.person, "reaction", content, told.at, echo=told.from_me, group=told.group)


def called(session: Session, told: Called, *, rejected: bool) -> ProviderMessage:
    """Somebody called; we never answer."""
    content = {"video": told.video, "group": told.group, "status": "rejected" if rejected else "missed"}
    return _told(session, told.id, told.person, "call", content, told.at)


def _told(
    session: Session,
    provider_message_id: str,
    person: Somebody,
    type_: str,
    content: dict[str, Any],
    seconds: int,
    *,
    echo: bool = False,
    group: str | None = None,
    quoted: str | None = None,
    extra: dict[str, Any] | None = None,
) -> ProviderMessage:
    return ProviderMessage(
        workspace_id=session.workspace_id,
        channel_id=UUID(str(session.id)),
        provider_message_id=provider_message_id[:512],
        echo=echo,
        phone=person.phone,
        lid=person.lid,
        profile_name=person.name,
        sent_at=at(seconds),
        type=type_,
        content=content,
        context={"id": quoted} if quoted else None,
        extra={**(extra or {}), **({"group": {"id": group}} if group else {})},
    )
