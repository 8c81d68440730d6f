"""Keep the Idempotency-Key of the request that made a session, and until when its codes work."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        "alter table web_sessions add column request_key text, add column request_hash bytea, "
        "add column qr_until timestamptz, add column pairing_code_until timestamptz"
    )
    op.execute(
        "create unique index web_sessions_request_key on web_sessions (workspace_id, request_key) "
        "where request_key is not null and wanted <> 'deleted'"
    )


def downgrade() -> None:
    op.execute(
        "alter table web_sessions drop column request_key, drop column request_hash, drop column qr_until, "
        "drop column pairing_code_until"
    )
