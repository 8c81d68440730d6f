"""Settle sends by every gateway; keep what is counted, and when it was said; find what is old by its age."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("alter table webhook_flows add column silence double precision not null default 15")
    op.execute("alter table channels add column status_seen_at timestamptz")
    op.execute(
        "update channels set status_seen_at = now() "
        "where id in (select channel_id from messages where delivered_at is not null)"
    )
    op.execute("alter table contacts add column opt_out_at timestamptz")
    op.execute(
        "alter table channel_buckets add column opened integer not null default 0, "
        "add column oldest_opened_at timestamptz, add column opened_counted_at timestamptz"
    )
    op.execute("create index stray_statuses_by_age on stray_statuses (received_at)")
    op.execute("create index provider_notices_by_age on provider_notices (received_at)")
    op.execute("create index provider_notices_latest on provider_notices (workspace_id, received_at desc, id desc)")
    op.execute("drop index provider_notices_recent")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
