"""Asks chat whether a message may be sent, in one bounded call; no answer is no refusal."""

import asyncio

import structlog
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import Unavailable
from blazz_contracts.views.message import CheckedMessage, CheckMessage

from blazz_gateway.upstream import Breaker, Upstream, refusal

log = structlog.get_logger(__name__)


class Checker:
    """Checks messages before they are accepted."""

    def __init__(self, chat: Upstream, *, timeout: float) -> None:
        """`timeout`: seconds chat has."""
        self._chat, self._timeout = chat, timeout
        self._breaker = Breaker()

    async def check(self, context: WorkspaceContext, message: CheckMessage) -> CheckedMessage | None:
        """Return what chat says, None when it does not answer in time: then it is accepted, and a refusal comes later.

        Raises the `BlazzError` of a refusal (404, 409, 422).
        """
        if not self._breaker.closed:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._chat.call(
                    "POST", "/internal/messages/check", context, content=message.model_dump_json()
                )
        except (TimeoutError, Unavailable) as error:
            self._breaker.failed()
            log.warning("message_unchecked", reason=type(error).__name__)
            return None
        self._breaker.succeeded()
        if response.status_code >= 500 or response.status_code in (401, 429):
            log.warning("message_unchecked", reason="status", status=response.status_code)
            return None
        if response.status_code >= 400:
            raise refusal(response)
        return CheckedMessage.model_validate_json(response.content)
