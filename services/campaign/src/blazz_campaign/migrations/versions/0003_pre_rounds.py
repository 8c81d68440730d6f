"""What the rounds look for, by index: at every look they read the few rows that are theirs, not the whole history."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX campaigns_adrift ON campaigns (id) "
        "WHERE flight_to IS NOT NULL AND state in ('cancelled', 'failed')"
    )
    op.execute(
        "CREATE INDEX campaigns_unfrozen ON campaigns (job_id) "
        "WHERE frozen_at IS NULL AND state in ('draft', 'freezing', 'paused')"
    )
    op.execute("CREATE INDEX jobs_over ON jobs (updated_at) WHERE state in ('done', 'failed', 'cancelled')")


def downgrade() -> None:
    for name in ("campaigns_adrift", "campaigns_unfrozen", "jobs_over"):
        op.execute(f"DROP INDEX {name}")
