"""Which number a message of a WhatsApp Web session was accepted for: it leaves from no other."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("alter table messages add column for_number text")
    op.execute(
        "alter table channels add column first_number text, add column former_number text, "
        "add column former_since timestamptz, add column renumbered_at timestamptz, "
        "add column renumbering boolean default false not null"
    )
    # What waits already was accepted for the number that is known.
    op.execute("update channels set first_number = display_phone_number where provider = 'webjs'")
    # What is failed for a number that changed or a session that is away is looked for by channel, wait or not.
    op.execute("create index messages_pending on messages (channel_id) where status = 'pending'")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
