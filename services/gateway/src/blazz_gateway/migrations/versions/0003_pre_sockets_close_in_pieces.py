"""Access ends in a transaction of its own; its sockets are closed after it, piece by piece, and told of more than once.

Revision ID: 0003
"""

from alembic import op
from blazz_chassis import migrate

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ENDS = """
create table access_ends (
    id uuid primary key,
    workspace_id uuid,
    credential_id uuid,
    actor_id uuid,
    reason text not null,
    created_at timestamptz not null default now()
)
"""


def upgrade() -> None:
    op.execute(_ENDS)
    migrate.enable_rls(op, "access_ends")
    op.execute("alter table socket_auths add column revoked_at timestamptz, add column revoked_reason text")
    op.execute("alter table socket_auths add column told_at timestamptz, add column told smallint not null default 0")
    op.execute("create index socket_auths_told_at on socket_auths (told_at) where revoked_at is not null")


def downgrade() -> None:
    op.execute("drop index socket_auths_told_at")
    op.execute(
        "alter table socket_auths drop column revoked_at, drop column revoked_reason, drop column told_at, "
        "drop column told"
    )
    op.execute("drop table access_ends")
