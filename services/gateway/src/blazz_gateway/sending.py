"""Accepting a message: reserve, check, publish with a confirm, answer. Nothing is half done when it fails."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

import structlog
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.crashpoints import reach
from blazz_chassis.errors import BlazzError
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import Content
from blazz_contracts.events import MessageRequested
from blazz_contracts.message import Lane, Origin, OriginKind, Status
from blazz_contracts.recipient import Recipient
from blazz_contracts.views.message import CheckedMessage, CheckMessage, MessageView

from blazz_gateway.acceptance import Acceptance, Admitted, Answer, Replayed, Wish
from blazz_gateway.actor import Actor
from blazz_gateway.message_request import text_of
from blazz_gateway.rate import Decision

log = structlog.get_logger(__name__)


class Checks(Protocol):
    """What `checking.Checker` does."""

    async def check(self, context: WorkspaceContext, message: CheckMessage) -> CheckedMessage | None:
        """Return what is known, None when nothing is; raise the refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A message that somebody wants sent."""

    to: Recipient
    content: Content
    lane: Lane
    channel_id: UUID | None = None
    reply_to: UUID | None = None
    socket_id: str | None = None
    key: str | None = None
    fingerprint: bytes = b""
    """The request as its hash sees it; only with a key."""


@dataclass(frozen=True, slots=True)
class Sent:
    """It was accepted, now or before."""

    answer: Answer
    replayed: bool = False
    rate: Decision | None = None


class Sending:
    """Accepts messages."""

    def __init__(self, acceptance: Acceptance, checks: Checks, publisher: Publisher) -> None:
        self._acceptance, self._checks, self._publisher = acceptance, checks, publisher

    async def send(self, actor: Actor, order: Order, *, before_publish: Callable[[UUID], None] | None = None) -> Sent:
        """Return when the broker has it; `before_publish` is told the message id first.

        Raises what `Acceptance.admit` and the check raise, and `BrokerUnavailable`.
        """
        wish = _wish(actor, order)
        outcome = await self._acceptance.admit(wish)
        if isinstance(outcome, Replayed):
            return Sent(outcome.answer, replayed=True)
        reach("gateway.after_reserve")
        answer = await self._checked(actor, order, outcome)
        event = MessageRequested(
            workspace_id=actor.workspace_id,
            message_id=outcome.message_id,
            channel_id=order.channel_id,
            to=order.to,
            content=order.content,
            lane=order.lane,
            reply_to=order.reply_to,
            origin=_origin(actor),
            requested_at=datetime.fromisoformat(answer["created_at"]),
            socket_id=order.socket_id,
        )
        if before_publish is not None:
            before_publish(outcome.message_id)
        try:
            await self._publisher.publish(event)
        except BlazzError:
            await self._undo(actor, outcome, keep=order.key is not None)
            raise
        reach("gateway.after_publish")
        if order.key is not None:
            await self._keep(outcome.message_id, answer)
        log.info(
            "message_accepted",
            message_id=str(outcome.message_id),
            lane=order.lane,
            workspace_id=str(actor.workspace_id),
        )
        return Sent(answer, rate=outcome.rate)

    async def _checked(self, actor: Actor, order: Order, admitted: Admitted) -> Answer:
        """Return the answer with what chat knows of it; a refusal leaves nothing behind.

        Unless the request was taken up: an earlier attempt may have published it, so its id stays with the key.
        """
        message = CheckMessage(channel_id=order.channel_id, to=order.to, content=order.content, reply_to=order.reply_to)
        try:
            checked = await self._checks.check(actor.context(), message)
        except BlazzError:
            await self._undo(actor, admitted, keep=not admitted.fresh)
            raise
        if checked is None:
            return admitted.answer
        known = {"channel_id": str(checked.channel_id)}
        if checked.contact_id is not None:
            known["contact_id"] = str(checked.contact_id)
        return {**admitted.answer, **known}

    async def _undo(self, actor: Actor, admitted: Admitted, *, keep: bool) -> None:
        """Free the key (keeping its message id for the retry), or forget the request. Never hides the first error."""
        try:
            if keep:
                await self._acceptance.let_go(actor.workspace_id, admitted.message_id)
            else:
                await self._acceptance.withdraw(actor.workspace_id, admitted.message_id)
        except BlazzError as error:
            # The lease runs out by itself, and an id that nobody was told harms nobody.
            log.warning("reservation_left", message_id=str(admitted.message_id), error=repr(error))

    async def _keep(self, message_id: UUID, answer: Answer) -> None:
        try:
            await self._acceptance.confirm(message_id, answer)
        except BlazzError as error:
            # It is published, so it is accepted. A retry takes the reservation up and publishes the same id again.
            log.warning("answer_not_kept", message_id=str(message_id), error=repr(error))


def _origin(actor: Actor) -> Origin:
    return Origin(kind=OriginKind.PERSON if actor.kind == "user" else OriginKind.API, id=actor.id)


def _wish(actor: Actor, order: Order) -> Wish:
    now, message_id = datetime.now(UTC), uuid7()
    return Wish(
        message_id=message_id,
        workspace_id=actor.workspace_id,
        key=order.key,
        request_hash=sha256(order.fingerprint).digest() if order.key is not None else None,
        answer=_pending(actor, order, message_id, now),
        created_at=now,
        rate_subject=actor.rate_subject if actor.rate_per_minute is not None else None,
        rate_limit=actor.rate_per_minute,
    )


def _pending(actor: Actor, order: Order, message_id: UUID, now: datetime) -> dict[str, Any]:
    view = MessageView(
        id=message_id,
        conversation_id=None,
        contact_id=order.to.contact_id,
        channel_id=order.channel_id,
        direction="outbound",
        type=order.content.type,
        content=order.content.model_dump(mode="json", exclude_none=True),
        text=text_of(order.content),
        status=Status.PENDING,
        provider_message_id=None,
        reply_to=order.reply_to,
        origin=_origin(actor),
        failure=None,
        created_at=now,
        sent_at=None,
        delivered_at=None,
        read_at=None,
    )
    return view.model_dump(mode="json")
