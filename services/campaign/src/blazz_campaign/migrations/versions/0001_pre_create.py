"""Create the tables of campaign."""

from alembic import op
from blazz_chassis import migrate

revision = "0001"
down_revision = None

# Compared by its order: a recipient moves forward only.
_STATES = """
    CREATE TYPE recipient_state AS ENUM (
        'queued', 'cancelled', 'requested', 'unconfirmed', 'sent', 'failed', 'delivered', 'read', 'played'
    )
"""
_TABLES = (
    """
    CREATE TABLE campaigns (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        name TEXT NOT NULL,
        channel_id UUID NOT NULL,
        content JSONB NOT NULL,
        state TEXT NOT NULL,
        state_reason TEXT,
        n_queued INTEGER DEFAULT '0' NOT NULL,
        n_requested INTEGER DEFAULT '0' NOT NULL,
        n_unconfirmed INTEGER DEFAULT '0' NOT NULL,
        n_sent INTEGER DEFAULT '0' NOT NULL,
        n_failed INTEGER DEFAULT '0' NOT NULL,
        n_delivered INTEGER DEFAULT '0' NOT NULL,
        n_read INTEGER DEFAULT '0' NOT NULL,
        n_played INTEGER DEFAULT '0' NOT NULL,
        n_cancelled INTEGER DEFAULT '0' NOT NULL,
        duplicates INTEGER DEFAULT '0' NOT NULL,
        invalid INTEGER DEFAULT '0' NOT NULL,
        invalid_rows JSONB DEFAULT '[]' NOT NULL,
        job_id UUID NOT NULL,
        frozen_at TIMESTAMP WITH TIME ZONE,
        cursor BIGINT DEFAULT '0' NOT NULL,
        flight_to BIGINT,
        lease_token UUID,
        lease_until TIMESTAMP WITH TIME ZONE,
        created_by UUID,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE,
        finished_at TIMESTAMP WITH TIME ZONE,
        moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        revision BIGINT DEFAULT '1' NOT NULL,
        told_revision BIGINT DEFAULT '0' NOT NULL,
        told_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT campaigns_state CHECK (
            state in ('draft', 'scheduled', 'freezing', 'sending', 'paused', 'completed', 'cancelled', 'failed')
        ),
        CONSTRAINT campaigns_counts CHECK (
            least(n_queued, n_requested, n_unconfirmed, n_sent, n_failed, n_delivered, n_read, n_played,
                  n_cancelled) >= 0
        )
    ) WITH (fillfactor = 50)
    """,
    "CREATE INDEX campaigns_at_work ON campaigns (id) WHERE state in ('freezing', 'sending')",
    "CREATE INDEX campaigns_of_workspace ON campaigns (workspace_id, id desc)",
    "CREATE INDEX campaigns_untold ON campaigns (told_at) WHERE told_revision < revision",
    """
    CREATE TABLE list_parts (
        campaign_id UUID NOT NULL,
        number INTEGER NOT NULL,
        workspace_id UUID NOT NULL,
        body BYTEA NOT NULL,
        PRIMARY KEY (campaign_id, number),
        FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE recipients (
        id UUID NOT NULL,
        campaign_id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        position BIGINT NOT NULL,
        phone TEXT NOT NULL,
        variables JSONB NOT NULL,
        message_id UUID NOT NULL,
        state recipient_state NOT NULL,
        failure JSONB,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT recipients_phone UNIQUE (campaign_id, phone),
        CONSTRAINT recipients_position UNIQUE (campaign_id, position),
        FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
        UNIQUE (message_id)
    ) WITH (fillfactor = 60)
    """,
    # Read once and deleted: compressing 20 MB would only keep who asked waiting.
    "ALTER TABLE list_parts ALTER COLUMN body SET STORAGE EXTERNAL",
)
_SCOPED = ("campaigns", "recipients", "list_parts")


def upgrade() -> None:
    migrate.create_chassis_tables(op)
    for statement in (_STATES, *_TABLES):
        op.execute(statement)
    for table in _SCOPED:
        migrate.enable_rls(op, table)


def downgrade() -> None:
    for table in reversed(_SCOPED):
        op.execute(f"drop table {table} cascade")
    op.execute("drop type recipient_state")
    migrate.drop_chassis_tables(op)
