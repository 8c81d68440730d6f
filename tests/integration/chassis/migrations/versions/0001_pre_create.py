from alembic import op
from blazz_chassis.migrate import create_chassis_tables, enable_rls

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(op)
    op.execute("create table notes (id uuid primary key, workspace_id uuid not null, text text not null, data jsonb)")
    enable_rls(op, "notes")
