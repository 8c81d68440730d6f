"""Settle sends by every gateway, not by any one."""

from alembic import op

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    op.execute("alter table webhook_flows add column silence double precision not null default 15")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
