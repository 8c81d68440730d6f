"""Which messages were handled, for handlers whose effect has no natural key of its own."""

from uuid import UUID

from blazz_chassis.database import Connection, Database

KEEP_DAYS = 7  # longer than any message waits in a queue, a retry step or an outbox

_INSERT = "insert into inbox (consumer, message_id) values ($1, $2) on conflict do nothing returning 1"
_INSERT_MANY = """
insert into inbox (consumer, message_id) select $1, unnest($2::uuid[]) on conflict do nothing returning message_id
"""
_PRUNE = "delete from inbox where received_at < now() - $1 * interval '1 day'"


async def first_time(connection: Connection, consumer: str, message_id: UUID) -> bool:
    """Note in the handler's transaction that `consumer` handles this message; False when it did before.

    A second delivery that runs at the same time waits here for the first one's commit.
    """
    return await connection.fetchval(_INSERT, consumer, message_id) is not None


async def first_times(connection: Connection, consumer: str, message_ids: list[UUID]) -> set[UUID]:
    """The same for many, in one statement: return those that were not handled before."""
    # Sorted, so that two batches lock common rows in the same order.
    return {row["message_id"] for row in await connection.fetch(_INSERT_MANY, consumer, sorted(set(message_ids)))}


async def prune(database: Database, days: int = KEEP_DAYS) -> None:
    """Forget what is older."""
    async with database.worker() as connection:
        await connection.execute(_PRUNE, days)
