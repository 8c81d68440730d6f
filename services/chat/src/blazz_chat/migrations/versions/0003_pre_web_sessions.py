"""Numbers that a WhatsApp Web session serves: its state, people by their hidden id, messages edited and taken back."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        "alter table channels add column session_state text, add column session_cause text, "
        "add column session_since timestamptz, add column session_revision bigint default 0 not null"
    )
    op.execute("alter table contacts add column lid text, add column merged_into uuid")
    op.execute("alter table contacts add constraint contacts_lid unique (workspace_id, lid)")
    op.execute("create index contacts_merged on contacts (merged_into) where merged_into is not null")
    op.execute("alter table messages add column edited_at timestamptz, add column revoked_at timestamptz")
    op.execute("create index messages_handed on messages (channel_id) where status = 'sending' and lease_until is null")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
