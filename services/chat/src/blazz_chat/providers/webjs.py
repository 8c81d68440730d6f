"""WhatsApp through a WhatsApp Web session: messages go into the session's own queue, statuses come back.

The bridge sends one message and attempt once, however often it is asked. So what was handed over, and what may have
been, is asked for again under the same number. A session's queue may be missing for a moment, since the bridge declares
it again: only one that stays away is gone.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from blazz_chassis.errors import BrokerUnavailable, Unroutable
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import CONTENT
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from pydantic import ValidationError

from blazz_chat import failures, web
from blazz_chat.channels import Channel
from blazz_chat.failures import Refusal, Remedy
from blazz_chat.providers.protocol import Absent, Handed, MediaSource, Outcome, Outgoing, Unreachable

_PHONE, _LID = re.compile(r"[0-9]{5,20}"), re.compile(r"[0-9]{1,32}")
# How long what found no queue waits, at most. Seconds.
_ABSENT_WAITS = 5.0


class WebSessions:
    """WhatsApp Web, by way of the bridge."""

    uploads = False

    def __init__(self, publisher: Publisher, *, expire: float, missing: float) -> None:
        """In seconds: `expire`, how long what was handed over may still leave; `missing`, when a queue is given up."""
        self._publisher = publisher
        self._expire = timedelta(seconds=expire)
        self._missing = missing
        self._absent: dict[UUID, tuple[float, float]] = {}
        """Sessions whose queue is missing: since when, and when that was last seen."""

    async def send(self, channel: Channel, message: Outgoing) -> Outcome:
        """Put it into the session's queue, which is named by the channel's id."""
        content = web.leaving(message.content)
        if content["type"] == "template":
            return Refusal(Remedy.FAIL, failures.TEMPLATE_UNKNOWN)
        refused = web.unsendable(content["type"]) or web.unreachable(message)
        # Of what it was handed before, the bridge knows whether it left: that is not ours to say.
        waited_for, linked = message.for_number, message.linked_number
        if waited_for and linked and waited_for != linked and not message.handed_before:
            refused = failures.number_changed(waited_for, linked)
        if refused is not None:
            return Refusal(Remedy.FAIL, refused)
        try:
            await self._publisher.publish(self._command(channel, message))
        except ValidationError:
            # What was left of it is no content any more (a text of nothing but characters that cannot be kept).
            return Refusal(Remedy.FAIL, failures.UNSENDABLE)
        except Unroutable:
            return self._unroutable(channel.id)
        except BrokerUnavailable as error:
            # It may be in the queue all the same: it is handed over again, as the same attempt.
            return Unreachable(error.code, perhaps_handed=True)
        self._absent.pop(channel.id, None)
        return Handed()

    async def upload(self, _channel: Channel, _media: MediaSource) -> str | Refusal | Unreachable:
        """Never asked: the bridge fetches a file when it sends it."""
        raise NotImplementedError("WhatsApp Web takes no uploads beforehand")

    async def reachable(self) -> bool:
        """Whether the broker takes messages."""
        return self._publisher.connected and not self._publisher.blocked

    def _unroutable(self, session_id: UUID) -> Absent | Refusal:
        now = time.monotonic()
        since, seen = self._absent.get(session_id, (now, now))
        if now - seen > self._missing:
            since = now  # it was there in between, or nothing was to be sent
        self._absent[session_id] = since, now
        if now - since >= self._missing:
            return Refusal(Remedy.FAIL, failures.SESSION_GONE)
        return Absent(min(_ABSENT_WAITS, self._missing / 4))

    def _command(self, channel: Channel, message: Outgoing) -> SessionSend:
        now = datetime.now(UTC)
        # Counted from the first handing, not from the request: a long campaign of a session that is ready takes the
        # days it takes.
        handed_at = max(message.started_at or now, message.requested_at or now)
        return SessionSend(
            workspace_id=channel.workspace_id,
            session_id=channel.id,
            message_id=message.message_id,
            attempt=message.attempt,
            to=Person(phone=_digits(_PHONE, message.phone), lid=_digits(_LID, message.lid)),
            content=CONTENT.validate_python(web.leaving(message.content)),
            reply_to=message.reply_to,
            target=message.target,
            sender_phone=_digits(_PHONE, (message.for_number or message.linked_number or "").removeprefix("+")),
            requested_at=message.requested_at or now,
            expires_at=handed_at + self._expire,
        )


def _digits(shape: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and shape.fullmatch(value) else None
