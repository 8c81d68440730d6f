"""Takes webhooks in: verify, split, publish with confirms. Done when it returns; nothing is done when it raises."""

import time
from dataclasses import dataclass
from uuid import UUID

import structlog
from blazz_chassis import context
from blazz_chassis.crashpoints import reach
from blazz_chassis.errors import BlazzError, NotFound, Unavailable
from blazz_chassis.outgoing import Outgoing
from blazz_chassis.publisher import Publisher

from blazz_gateway.audit import AuditLog
from blazz_gateway.channel import Channel, Channels
from blazz_gateway.errors import ForeignNumber, SignatureWrong, VerifyTokenWrong
from blazz_gateway.webhooks import signature
from blazz_gateway.webhooks.parsing import Unpublishable, parsed, storable_text
from blazz_gateway.webhooks.splitting import numbers_named, split, too_much, whole
from blazz_gateway.webhooks.watermark import Watermark

log = structlog.get_logger(__name__)

_MAX_IDENTIFIER = 200
_AUDITED_AGAIN = 3600.0
"""Seconds until the same foreign number is written to the audit log again: the provider repeats itself for days."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a webhook."""

    workspace_id: UUID
    facts: int


class Intake:
    """The webhooks of all channels."""

    def __init__(
        self,
        channels: Channels,
        publisher: Publisher,
        watermark: Watermark,
        audit: AuditLog,
        *,
        service: str = "gateway",
    ) -> None:
        self._channels, self._publisher, self._watermark, self._audit = channels, publisher, watermark, audit
        self._service = service
        self._audited: dict[tuple[UUID, str], float] = {}

    async def handshake(self, identifier: str, verify_token: str) -> None:
        """Return when this is the verify token of the identifier's channel. Raises `NotFound`, `VerifyTokenWrong`."""
        channel = await self._channel(identifier)
        if channel.verify_token is None or not signature.same(verify_token, channel.verify_token):
            raise VerifyTokenWrong(field="hub.verify_token")

    async def take(self, identifier: str, body: bytes, signed: str) -> Taken:
        """Publish what a webhook says. `signed` is `X-Hub-Signature-256`.

        Raises `NotFound`, `SignatureWrong`, `Malformed`, `ForeignNumber`; `BrokerUnavailable`, `DatabaseUnavailable`
        when it must be delivered again.
        """
        with self._watermark.holding():
            channel = await self._channel(identifier)
            if channel.app_secret is None:
                raise Unavailable("the secrets of this webhook cannot be read now", code="secrets_unreadable")
            if not signature.signed_by(channel.app_secret, body, signed):
                raise SignatureWrong
            try:
                messages = await self._messages(channel, body)
                reach("gateway.before_webhook_publish")
                await self._publisher.send_many(messages)
            except BlazzError:
                raise
            except Exception:
                # A body that crashes us would do so at every delivery, and hold up the mark of all tenants each time.
                log.exception("webhook_crashed", channel_id=str(channel.id), bytes=len(body))
                with context.correlated(context.new_correlation_id()):
                    messages = self._as_text(channel, body.decode(errors="replace"))
                await self._publisher.send_many(messages)
            reach("gateway.after_webhook_publish")
        return Taken(channel.workspace_id, len(messages))

    async def _channel(self, identifier: str) -> Channel:
        # NUL is no text to PostgreSQL.
        known = len(identifier) <= _MAX_IDENTIFIER and "\x00" not in identifier
        channel = await self._channels.by_identifier(identifier) if known else None
        if channel is None:
            raise NotFound("there is no webhook at this address")
        return channel

    async def _messages(self, channel: Channel, body: bytes) -> list[Outgoing]:
        try:
            webhook = parsed(body)
            if too_much(webhook):
                log.warning("webhook_kept_whole", channel_id=str(channel.id), bytes=len(body))
                facts = whole(webhook, workspace_id=channel.workspace_id, own_channel=channel.id)
                return [fact.outgoing(self._service) for fact in facts]
            own = await self._own_numbers(channel, numbers_named(webhook))
            facts = split(webhook, workspace_id=channel.workspace_id, own_channel=channel.id, channels=own)
            return [fact.outgoing(self._service) for fact in facts]
        except Unpublishable as error:
            text = error.text
        except TypeError:
            # Numbers beyond 64 bits.
            text = body.decode()
        log.warning("webhook_kept_as_text", channel_id=str(channel.id), bytes=len(body))
        return self._as_text(channel, text)

    def _as_text(self, channel: Channel, text: str) -> list[Outgoing]:
        facts = whole({"text": storable_text(text)}, workspace_id=channel.workspace_id, own_channel=channel.id)
        return [fact.outgoing(self._service) for fact in facts]

    async def _own_numbers(self, channel: Channel, numbers: set[str]) -> dict[str, UUID]:
        """The workspace's channels of these numbers. Raises `ForeignNumber` when one is another workspace's."""
        own = {channel.phone_number_id: channel.id} if channel.phone_number_id is not None else {}
        for number in numbers - own.keys():
            owners = await self._channels.by_number(number)
            mine = next((each for each in owners if each.workspace_id == channel.workspace_id), None)
            if mine is not None:
                own[number] = mine.id
            elif owners:
                await self._tell_of(channel, number)
                raise ForeignNumber
        return own

    async def _tell_of(self, channel: Channel, number: str) -> None:
        log.warning("foreign_number", channel_id=str(channel.id), phone_number_id=number)
        now, seen = time.monotonic(), (channel.id, number)
        if now - self._audited.get(seen, -_AUDITED_AGAIN) < _AUDITED_AGAIN:
            return
        self._audited[seen] = now
        await self._audit.add(
            channel.workspace_id,
            action="webhook.foreign_number",
            actor_kind="provider",
            target_kind="channel",
            target_id=str(channel.id),
            data={"phone_number_id": number},
        )
