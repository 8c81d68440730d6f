"""WhatsApp through a WhatsApp Web session: messages go into the session's own queue, statuses come back.

The bridge sends one message and attempt once, however often it is asked. So what was handed over, and what may have
been, is asked for again under the same number.
"""

import re
from datetime import UTC, datetime

from blazz_chassis.errors import BrokerUnavailable, Unroutable
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import CONTENT
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from pydantic import ValidationError

from blazz_chat import failures, web
from blazz_chat.channels import Channel
from blazz_chat.failures import Refusal, Remedy
from blazz_chat.providers.protocol import Handed, MediaSource, Outcome, Outgoing, Unreachable

_PHONE, _LID = re.compile(r"[0-9]{5,20}"), re.compile(r"[0-9]{1,32}")


class WebSessions:
    """WhatsApp Web, by way of the bridge."""

    uploads = False

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, channel: Channel, message: Outgoing) -> Outcome:
        """Put it into the session's queue, which is named by the channel's id."""
        refused = web.unsendable(message.content["type"]) or web.unreachable(message)
        if refused is not None:
            return Refusal(Remedy.FAIL, refused)
        try:
            await self._publisher.publish(_command(channel, message))
        except ValidationError:
            # What was left of it is no content any more (a text of nothing but characters that cannot be kept).
            return Refusal(Remedy.FAIL, failures.UNSENDABLE)
        except Unroutable:
            return Refusal(Remedy.FAIL, failures.SESSION_GONE)
        except BrokerUnavailable as error:
            # It may be in the queue all the same: it is handed over again, as the same attempt.
            return Unreachable(error.code)
        return Handed()

    async def upload(self, _channel: Channel, _media: MediaSource) -> str | Refusal | Unreachable:
        """Never asked: the bridge fetches a file when it sends it."""
        raise NotImplementedError("WhatsApp Web takes no uploads beforehand")

    async def reachable(self) -> bool:
        """Whether the broker takes messages."""
        return self._publisher.connected and not self._publisher.blocked


def _digits(shape: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and shape.fullmatch(value) else None


def _command(channel: Channel, message: Outgoing) -> SessionSend:
    return SessionSend(
        workspace_id=channel.workspace_id,
        session_id=channel.id,
        message_id=message.message_id,
        attempt=message.attempt,
        to=Person(phone=_digits(_PHONE, message.phone), lid=_digits(_LID, message.lid)),
        content=CONTENT.validate_python(message.content),
        reply_to=message.reply_to,
        target=message.target,
        requested_at=message.requested_at or datetime.now(UTC),
    )
