"""What chat must know of workspaces."""

from blazz_chassis.database import Database
from blazz_contracts.events import WorkspaceUpdated

_UPSERT = """
insert into workspaces (workspace_id, revision, unsettled) values ($1, $2, $3)
on conflict (workspace_id) do update set revision = excluded.revision, unsettled = excluded.unsettled
where workspaces.revision < excluded.revision
"""


class Workspaces:
    """Keeps the replica."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update(self, event: WorkspaceUpdated) -> None:
        """Take a newer revision; an older one changes nothing."""
        async with self._database.worker() as connection:
            await connection.execute(_UPSERT, event.workspace_id, event.revision, event.unsettled)
