"""Members are invited and join by their own word (ADR 0026). Who is a member already stays one.

Revision ID: 0002
"""

from alembic import op
from blazz_chassis import migrate

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLE = """
create table invitations (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    email text not null,
    role text not null,
    hash bytea not null unique,
    invited_by uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint invitations_role check (role in ('owner', 'admin', 'agent', 'viewer')),
    constraint invitations_email unique (workspace_id, email)
)
"""


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute("create index invitations_expires_at on invitations (expires_at)")
    migrate.enable_rls(op, "invitations")


def downgrade() -> None:
    op.execute("drop table invitations")
