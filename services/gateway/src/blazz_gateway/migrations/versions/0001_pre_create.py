"""Everything the gateway keeps.

Revision ID: 0001
"""

from alembic import op
from blazz_chassis import migrate

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table workspaces (
    id uuid primary key,
    display_name text not null,
    revision integer not null default 1,
    unsettled text not null default 'resend',
    created_at timestamptz not null default now(),
    constraint workspaces_unsettled check (unsettled in ('resend', 'unconfirmed'))
);
create table users (
    id uuid primary key,
    email text not null unique,
    name text not null default '',
    password_hash text not null,
    created_at timestamptz not null default now()
);
create table memberships (
    workspace_id uuid not null references workspaces (id),
    user_id uuid not null references users (id),
    role text not null,
    created_at timestamptz not null default now(),
    primary key (workspace_id, user_id),
    constraint memberships_role check (role in ('owner', 'admin', 'agent', 'viewer'))
);
create index memberships_user_id on memberships (user_id);
create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_reason text
);
create index sessions_user_id on sessions (user_id);
create index sessions_expires_at on sessions (expires_at);
create table refresh_tokens (
    hash bytea primary key,
    session_id uuid not null references sessions (id) on delete cascade,
    created_at timestamptz not null default now(),
    used_at timestamptz
);
create index refresh_tokens_session_id on refresh_tokens (session_id);
create table api_tokens (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    name text not null,
    prefix text not null,
    hash bytea not null unique,
    scopes text[] not null,
    rate_per_minute integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_tokens_rate_per_minute check (rate_per_minute > 0)
);
create index api_tokens_workspace_id on api_tokens (workspace_id);
create table rate_windows (
    subject text primary key,
    second bigint not null,
    slots bytea not null,
    touched_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create table accepted (
    id uuid primary key,
    workspace_id uuid not null,
    idempotency_key text,
    request_hash bytea,
    state text not null,
    lease_until timestamptz,
    answer jsonb not null,
    created_at timestamptz not null,
    constraint accepted_state check (state in ('reserved', 'accepted'))
);
create unique index accepted_key on accepted (workspace_id, idempotency_key) where idempotency_key is not null;
create index accepted_created_at on accepted (created_at);
create table audit_log (
    id uuid primary key,
    workspace_id uuid not null,
    action text not null,
    actor_kind text not null,
    actor_id uuid,
    target_kind text not null,
    target_id text not null,
    data jsonb not null,
    at timestamptz not null
);
create index audit_log_workspace on audit_log (workspace_id, id);
create table channels (
    id uuid primary key,
    workspace_id uuid not null,
    revision integer not null,
    provider text not null,
    display_name text not null,
    phone_number_id text,
    waba_id text,
    webhook_identifier text,
    sealed_webhook_secrets text,
    deleted boolean not null default false
);
create index channels_webhook_identifier on channels (webhook_identifier) where not deleted;
create index channels_phone_number_id on channels (phone_number_id) where not deleted;
create table socket_auths (
    socket_id text not null,
    workspace_id uuid not null,
    credential_id uuid not null,
    actor_id uuid not null,
    created_at timestamptz not null default now(),
    primary key (socket_id, workspace_id, credential_id)
);
create index socket_auths_credential on socket_auths (credential_id);
create index socket_auths_actor on socket_auths (actor_id, workspace_id);
create index socket_auths_created_at on socket_auths (created_at);
"""


def upgrade() -> None:
    migrate.create_chassis_tables(op)
    for statement in _TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    for table in ("memberships", "api_tokens", "accepted", "audit_log", "channels", "socket_auths"):
        migrate.enable_rls(op, table)
    migrate.enable_rls(op, "workspaces", column="id")
    # Secrets of people, and what belongs to no workspace: the api role has no business with them.
    for table in ("users", "sessions", "refresh_tokens", "rate_windows"):
        migrate.grant(op, table, api=None)


def downgrade() -> None:
    for table in (
        "socket_auths",
        "channels",
        "audit_log",
        "accepted",
        "rate_windows",
        "api_tokens",
        "refresh_tokens",
        "sessions",
        "memberships",
        "users",
        "workspaces",
    ):
        op.execute(f"drop table {table}")
    migrate.drop_chassis_tables(op)
