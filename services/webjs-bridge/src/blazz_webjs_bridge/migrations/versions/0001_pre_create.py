"""Create the tables every service has."""

from alembic import op
from blazz_chassis import migrate

revision = "0001"
down_revision = None


def upgrade() -> None:
    migrate.create_chassis_tables(op)


def downgrade() -> None:
    migrate.drop_chassis_tables(op)
