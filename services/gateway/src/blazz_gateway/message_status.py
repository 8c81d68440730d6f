"""How a message fares: chat knows; until it does, or while it is away, what was accepted."""

from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.errors import NotFound, Unavailable

from blazz_gateway.acceptance import Acceptance
from blazz_gateway.actor import Actor
from blazz_gateway.upstream import Upstream, refusal


class MessageStatus:
    """Looks messages up."""

    def __init__(self, chat: Upstream, acceptance: Acceptance) -> None:
        self._chat, self._acceptance = chat, acceptance

    async def get(self, actor: Actor, message_id: UUID) -> dict[str, Any]:
        """The message as `MessageView`, in JSON's types. Raises `NotFound`, `Unavailable`."""
        away: Unavailable | None = None
        try:
            response = await self._chat.call("GET", f"/internal/messages/{message_id}", actor.context())
            if response.status_code < 400:
                found: dict[str, Any] = orjson.loads(response.content)
                return found
            error = refusal(response)
            if isinstance(error, Unavailable):
                away = error
            elif error.status != 404:
                raise error
        except Unavailable as error:
            away = error
        accepted = await self._acceptance.answer(actor.workspace_id, message_id)
        if accepted is not None:
            return accepted
        raise away or NotFound("there is no such message in this workspace")

    async def known(self, actor: Actor, message_id: UUID) -> dict[str, Any] | None:
        """The same, None when nothing is known now."""
        try:
            return await self.get(actor, message_id)
        except (NotFound, Unavailable):
            return None
