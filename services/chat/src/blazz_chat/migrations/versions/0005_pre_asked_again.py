"""When an attempt was last handed to a WhatsApp Web session again."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("alter table attempts add column asked_at timestamptz")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
