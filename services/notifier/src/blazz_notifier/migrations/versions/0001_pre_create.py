"""Create the tables of the notifier."""

from alembic import op
from blazz_chassis import migrate

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE notifier_instances (
        instance_id UUID NOT NULL,
        name TEXT NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (instance_id)
    )
    """,
    """
    CREATE TABLE notifier_presence (
        channel TEXT NOT NULL,
        socket_id TEXT NOT NULL,
        workspace_id UUID NOT NULL,
        instance_id UUID NOT NULL,
        user_id TEXT NOT NULL,
        token BIGINT NOT NULL,
        user_info JSONB,
        joined_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        PRIMARY KEY (channel, socket_id)
    )
    """,
    "CREATE INDEX notifier_presence_member ON notifier_presence (channel, user_id)",
    "CREATE INDEX notifier_presence_instance ON notifier_presence (instance_id)",
    """
    CREATE TABLE notifier_occupancy (
        instance_id UUID NOT NULL,
        channel TEXT NOT NULL,
        workspace_id UUID NOT NULL,
        subscriptions INTEGER NOT NULL,
        PRIMARY KEY (instance_id, channel)
    )
    """,
)


def upgrade() -> None:
    migrate.create_chassis_tables(op)
    for statement in _TABLES:
        op.execute(statement)
    # Leases are of no workspace, and no request of one has any business with them.
    migrate.grant(op, "notifier_instances", api=None)
    migrate.enable_rls(op, "notifier_presence")
    migrate.enable_rls(op, "notifier_occupancy")


def downgrade() -> None:
    for table in ("notifier_occupancy", "notifier_presence", "notifier_instances"):
        op.execute(f"drop table {table}")
    migrate.drop_chassis_tables(op)
