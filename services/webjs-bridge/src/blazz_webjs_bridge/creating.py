"""Making and deleting a session, at once where everything answers."""

from contextlib import suppress
from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import Unavailable
from blazz_contracts.views.session import CreateSession

from blazz_webjs_bridge.finishing import Finishing
from blazz_webjs_bridge.registry import Registry
from blazz_webjs_bridge.session import Session


class Creating:
    """Makes and deletes sessions with all that belongs to them."""

    def __init__(self, registry: Registry, finishing: Finishing) -> None:
        self._registry, self._finishing = registry, finishing

    async def create(
        self, context: WorkspaceContext, asked: CreateSession, key: str | None = None
    ) -> tuple[Session, bool]:
        """Make a session; it is made later by itself where chat or the broker are away.

        Returns whether this request made it, as `Registry.create` does.
        """
        made, is_new = await self._registry.create(context, asked, key)
        if is_new:
            with suppress(Unavailable):
                await self._finishing.make(made)
        return made, is_new

    async def rename(self, context: WorkspaceContext, known: Session, name: str) -> Session:
        """Name a session and its channel. Raises `Unavailable` where chat is away: nothing has changed then."""
        if known.made:
            await self._finishing.rename(known, name)
        return await self._registry.rename(context, known.id, name)

    async def delete(self, context: WorkspaceContext, session_id: UUID) -> Session:
        """Delete a session; its owner unlinks it first."""
        gone = await self._registry.delete(context, session_id)
        self._finishing.nudge()
        return gone
