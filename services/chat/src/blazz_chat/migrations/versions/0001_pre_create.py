"""Create the tables of chat."""

from alembic import op
from blazz_chassis import migrate

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE attempts (
        message_id UUID NOT NULL,
        number INTEGER NOT NULL,
        workspace_id UUID NOT NULL,
        channel_id UUID NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        outcome TEXT,
        provider_message_id TEXT,
        failure JSONB,
        PRIMARY KEY (message_id, number)
    )
    """,
    "CREATE INDEX attempts_provider_id ON attempts (provider_message_id) WHERE provider_message_id is not null",
    """
    CREATE TABLE changes (
        workspace_id UUID NOT NULL,
        cursor BIGINT NOT NULL,
        kind TEXT NOT NULL,
        id UUID NOT NULL,
        data JSONB NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (workspace_id, cursor)
    )
    """,
    "CREATE INDEX changes_by_age ON changes (at)",
    """
    CREATE TABLE channels (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        phone_number_id TEXT,
        waba_id TEXT,
        display_phone_number TEXT,
        sealed_credentials TEXT NOT NULL,
        webhook_identifier TEXT,
        state TEXT DEFAULT 'active' NOT NULL,
        state_reason TEXT,
        limits JSONB NOT NULL,
        revision INTEGER DEFAULT '1' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        deleted_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT channels_state CHECK (state in ('active', 'stopped')),
        UNIQUE (webhook_identifier)
    )
    """,
    "CREATE INDEX channels_by_workspace ON channels (workspace_id, created_at)",
    "CREATE UNIQUE INDEX channels_phone_number ON channels (phone_number_id) WHERE deleted_at is null",
    """
    CREATE TABLE contacts (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        phone TEXT,
        wa_id TEXT,
        user_id TEXT,
        name TEXT,
        profile_name TEXT,
        marketing_opt_out BOOLEAN DEFAULT false NOT NULL,
        last_message_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT contacts_phone UNIQUE (workspace_id, phone),
        CONSTRAINT contacts_user_id UNIQUE (workspace_id, user_id)
    )
    """,
    "CREATE INDEX contacts_recent ON contacts (workspace_id, last_message_at desc nulls last, id)",
    "CREATE INDEX contacts_wa_id ON contacts (workspace_id, wa_id) WHERE wa_id is not null",
    """
    CREATE TABLE feed_heads (
        workspace_id UUID NOT NULL,
        cursor BIGINT DEFAULT '0' NOT NULL,
        PRIMARY KEY (workspace_id)
    )
    """,
    """
    CREATE TABLE media (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        state TEXT NOT NULL,
        mime_type TEXT NOT NULL,
        size BIGINT,
        sha256 TEXT,
        filename TEXT,
        message_id UUID,
        channel_id UUID,
        provider_media_id TEXT,
        tries INTEGER DEFAULT '0' NOT NULL,
        next_attempt_at TIMESTAMP WITH TIME ZONE,
        error TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT media_state CHECK (state in ('pending', 'ready', 'failed'))
    )
    """,
    "CREATE INDEX media_to_fetch ON media (next_attempt_at) WHERE state = 'pending'",
    """
    CREATE TABLE messages (
        id UUID NOT NULL,
        position BIGINT GENERATED ALWAYS AS IDENTITY,
        workspace_id UUID NOT NULL,
        conversation_id UUID,
        contact_id UUID,
        channel_id UUID,
        direction TEXT NOT NULL,
        type TEXT NOT NULL,
        content JSONB NOT NULL,
        text TEXT DEFAULT '' NOT NULL,
        status TEXT NOT NULL,
        waits_for TEXT,
        lane SMALLINT DEFAULT '0' NOT NULL,
        attempt INTEGER DEFAULT '0' NOT NULL,
        tries INTEGER DEFAULT '0' NOT NULL,
        next_attempt_at TIMESTAMP WITH TIME ZONE,
        holds_until TIMESTAMP WITH TIME ZONE,
        lease_until TIMESTAMP WITH TIME ZONE,
        provider_message_id TEXT,
        reply_to UUID,
        retry_of UUID,
        origin_kind TEXT,
        origin_id UUID,
        failure JSONB,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE,
        delivered_at TIMESTAMP WITH TIME ZONE,
        read_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX messages_leased ON messages (lease_until) WHERE status = 'sending'",
    "CREATE INDEX messages_of_contact ON messages (contact_id, position)",
    "CREATE INDEX messages_of_conversation ON messages (conversation_id, position)",
    """
    CREATE INDEX messages_ready ON messages (channel_id, lane, position) WHERE status = 'pending' and waits_for is null
    """,
    "CREATE UNIQUE INDEX messages_received ON messages (channel_id, provider_message_id) WHERE origin_kind is null",
    "CREATE INDEX messages_unsent ON messages (conversation_id, position) WHERE status in ('pending', 'sending')",
    """
    CREATE INDEX messages_waiting ON messages (next_attempt_at) WHERE status = 'pending' and waits_for is not null
    """,
    """
    CREATE TABLE provider_notices (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        channel_id UUID,
        kind TEXT NOT NULL,
        field TEXT NOT NULL,
        value JSONB NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX provider_notices_recent ON provider_notices (workspace_id, received_at desc)",
    """
    CREATE TABLE stray_statuses (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        workspace_id UUID NOT NULL,
        channel_id UUID NOT NULL,
        item JSONB NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE webhook_flows (
        instance TEXT NOT NULL,
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        until TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (instance)
    )
    """,
    """
    CREATE TABLE workspaces (
        workspace_id UUID NOT NULL,
        revision INTEGER NOT NULL,
        unsettled TEXT DEFAULT 'resend' NOT NULL,
        PRIMARY KEY (workspace_id)
    )
    """,
    """
    CREATE TABLE channel_buckets (
        channel_id UUID NOT NULL,
        tokens DOUBLE PRECISION NOT NULL,
        refilled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (channel_id),
        FOREIGN KEY(channel_id) REFERENCES channels (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE conversations (
        id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        channel_id UUID NOT NULL,
        contact_id UUID NOT NULL,
        last_inbound_at TIMESTAMP WITH TIME ZONE,
        last_message_at TIMESTAMP WITH TIME ZONE,
        unread INTEGER DEFAULT '0' NOT NULL,
        pair_free_at TIMESTAMP WITH TIME ZONE,
        business_opened_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT conversations_pair UNIQUE (channel_id, contact_id),
        FOREIGN KEY(channel_id) REFERENCES channels (id),
        FOREIGN KEY(contact_id) REFERENCES contacts (id)
    )
    """,
    "CREATE INDEX conversations_business_opened ON conversations (channel_id, business_opened_at)",
    "CREATE INDEX conversations_by_contact ON conversations (contact_id, last_message_at desc nulls last)",
    """
    CREATE TABLE media_uploads (
        media_id UUID NOT NULL,
        channel_id UUID NOT NULL,
        workspace_id UUID NOT NULL,
        provider_media_id TEXT NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (media_id, channel_id),
        FOREIGN KEY(media_id) REFERENCES media (id) ON DELETE CASCADE
    )
    """,
)
_SCOPED = (
    "attempts",
    "changes",
    "channels",
    "contacts",
    "feed_heads",
    "media",
    "messages",
    "provider_notices",
    "stray_statuses",
    "workspaces",
    "conversations",
    "media_uploads",
)
# Owned by nobody in particular: the worker alone sees them.
_SHARED = ("channel_buckets", "webhook_flows")

# `ilike` is not leakproof: under row-level security PostgreSQL would scan every row (74 ms in place of 0.9 ms, measured
# on 400,000). The function runs as the tables' owner and takes the workspace, so it finds no other's.
_SEARCH = (
    "create extension if not exists pg_trgm",
    """
    create function contact_words(c contacts) returns text language sql immutable as $$
        select lower(coalesce(c.name, '') || ' ' || coalesce(c.profile_name, '') || ' ' || coalesce(c.phone, '') || ' '
                     || coalesce(c.wa_id, '') || ' ' || coalesce(c.user_id, ''))
    $$
    """,
    "create index contacts_words on contacts using gin (contact_words(contacts) gin_trgm_ops)",
    """
    create function search_contacts(workspace uuid, words text, after uuid, most int) returns table (id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
        select c.id from contacts c
        where c.workspace_id = workspace
          and contact_words(c) like
              '%' || replace(replace(replace(lower(words), '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'
          and (after is null or (coalesce(c.last_message_at, '-infinity'), c.id) <
               (select coalesce(o.last_message_at, '-infinity'), o.id from contacts o
                where o.workspace_id = workspace and o.id = after))
        order by coalesce(c.last_message_at, '-infinity') desc, c.id desc limit most
    $$
    """,
)


def upgrade() -> None:
    migrate.create_chassis_tables(op)
    for statement in (*_TABLES, *_SEARCH):
        op.execute(statement)
    for table in _SCOPED:
        migrate.enable_rls(op, table)
    for table in _SHARED:
        migrate.grant(op, table, api=None)
    op.execute("revoke execute on function search_contacts from public")
    op.execute(f'grant execute on function search_contacts to "{migrate.roles().api}"')


def downgrade() -> None:
    op.execute("drop function search_contacts")
    for table in (
        "media_uploads", "media", "webhook_flows", "provider_notices", "stray_statuses", "changes", "feed_heads",
        "attempts", "messages", "conversations", "contacts", "channel_buckets", "channels", "workspaces",
    ):  # fmt: skip
        op.execute(f"drop table {table} cascade")
    migrate.drop_chassis_tables(op)
