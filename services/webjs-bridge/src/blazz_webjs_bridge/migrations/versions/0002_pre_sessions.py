"""Create sessions, what is asked of them, and the journal of sends."""

from alembic import op
from blazz_chassis import migrate

revision = "0002"
down_revision = "0001"

_TABLES = (
    """
    CREATE TABLE web_sessions (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        name TEXT NOT NULL,
        options JSONB NOT NULL,
        made BOOLEAN DEFAULT false NOT NULL,
        wanted TEXT DEFAULT 'running' NOT NULL,
        owner TEXT,
        fence BIGINT DEFAULT '0' NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        start_after TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        state TEXT DEFAULT 'starting' NOT NULL,
        cause TEXT,
        since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        revision BIGINT DEFAULT '1' NOT NULL,
        sealed_qr TEXT,
        qr_revision BIGINT DEFAULT '0' NOT NULL,
        qr_at TIMESTAMP WITH TIME ZONE,
        sealed_pairing_code TEXT,
        phone TEXT,
        lid TEXT,
        account_name TEXT,
        restarts INTEGER DEFAULT '0' NOT NULL,
        memory_bytes BIGINT,
        heard_at TIMESTAMP WITH TIME ZONE,
        seen_until TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        deleted_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX web_sessions_by_workspace ON web_sessions (workspace_id, created_at)",
    "CREATE INDEX web_sessions_to_run ON web_sessions (lease_until) WHERE wanted = 'running' and deleted_at is null",
    "CREATE INDEX web_sessions_owned ON web_sessions (owner) WHERE owner is not null",
    """
    CREATE INDEX web_sessions_to_finish ON web_sessions (id)
    WHERE deleted_at is null and (wanted = 'deleted' or not made)
    """,
    """
    CREATE TABLE web_session_requests (
        id UUID NOT NULL,
        session_id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        kind TEXT NOT NULL,
        data JSONB DEFAULT '{}' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(session_id) REFERENCES web_sessions (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX web_session_requests_of ON web_session_requests (session_id, id)",
    """
    CREATE TABLE web_sends (
        message_id UUID NOT NULL,
        attempt INTEGER NOT NULL,
        session_id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        hex TEXT NOT NULL,
        chat TEXT NOT NULL,
        state TEXT DEFAULT 'journalled' NOT NULL,
        command JSONB,
        ack SMALLINT DEFAULT '0' NOT NULL,
        failure JSONB,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        settled_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (message_id, attempt)
    )
    """,
    "CREATE UNIQUE INDEX web_sends_by_hex ON web_sends (session_id, hex)",
    "CREATE INDEX web_sends_in_doubt ON web_sends (session_id, created_at) WHERE state = 'journalled'",
    "CREATE INDEX web_sends_by_age ON web_sends (created_at)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    for table in ("web_sessions", "web_session_requests", "web_sends"):
        migrate.enable_rls(op, table)


def downgrade() -> None:
    for table in ("web_sends", "web_session_requests", "web_sessions"):
        op.execute(f"DROP TABLE {table}")
