"""What chat says of channels: asked over HTTP, in bounded time. When chat does not answer, nothing is refused."""

from uuid import UUID

import httpx
import structlog
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import Conflict, NotFound
from blazz_chassis.http_client import InternalClient
from blazz_contracts.views.channel import ChannelView
from pydantic import ValidationError

log = structlog.get_logger(__name__)

STOPPED = "The channel is stopped{reason}. Start it again, then resume the campaign."


class ChannelUnknown(NotFound):
    """The workspace has no such channel."""

    code, title = "channel_not_found", "There is no such channel in this workspace"


class Channels:
    """Asks chat."""

    def __init__(self, chat: InternalClient) -> None:
        self._chat = chat

    async def find(self, context: WorkspaceContext, channel_id: UUID) -> ChannelView | None:
        """The channel; None when chat does not answer. Raises `ChannelUnknown`."""
        try:
            answer = await self._chat.request("GET", f"/internal/channels/{channel_id}", context)
            if answer.status_code == 404:
                raise ChannelUnknown(field="channel_id")
            return ChannelView.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, ValidationError) as error:
            log.warning("channel_unasked", channel_id=str(channel_id), error=repr(error))
            return None

    async def require(self, context: WorkspaceContext, channel_id: UUID) -> None:
        """Raise `ChannelUnknown`, or `Conflict` when it is stopped; let pass what chat cannot say now."""
        channel = await self.find(context, channel_id)
        if channel is not None and channel.state == "stopped":
            raise Conflict(
                f"the channel is stopped{_because(channel)}: start it first", code="channel_stopped", field="channel_id"
            )


def stopped(channel: ChannelView) -> str:
    """Why a campaign on this stopped channel waits, for people."""
    return STOPPED.format(reason=_because(channel))


def _because(channel: ChannelView) -> str:
    return f" ({channel.state_reason.rstrip('.')})" if channel.state_reason else ""
