"""Let one instance at a time finish a session, wait longer each time that it failed, and unlink what is deleted."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        "alter table web_sessions add column finish_after timestamptz not null default now(), "
        "add column finish_tries integer not null default 0, add column finishing_until timestamptz, "
        "add column unlink_until timestamptz"
    )


def downgrade() -> None:
    op.execute(
        "alter table web_sessions drop column finish_after, drop column finish_tries, drop column finishing_until, "
        "drop column unlink_until"
    )
