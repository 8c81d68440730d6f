"""Keep the Idempotency-Key of the request that made a campaign."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE campaigns ADD COLUMN request_key TEXT, ADD COLUMN request_hash BYTEA")
    op.execute(
        "CREATE UNIQUE INDEX campaigns_request_key ON campaigns (workspace_id, request_key) "
        "WHERE request_key IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE campaigns DROP COLUMN request_key, DROP COLUMN request_hash")
