"""Message templates: Meta's, taken over, and a workspace's own for WhatsApp Web."""

from alembic import op
from blazz_chassis import migrate

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        """
        create table templates (
            id uuid not null,
            workspace_id uuid not null,
            waba_id text not null default '',
            name text not null,
            language text not null,
            category text not null,
            status text not null,
            components jsonb not null,
            provider_template_id text,
            status_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            primary key (id),
            constraint templates_named unique (workspace_id, name, language, waba_id)
        )
        """
    )
    op.execute(
        "create index templates_by_provider_id on templates (workspace_id, provider_template_id) "
        "where provider_template_id is not null"
    )
    op.execute("create index templates_in_order on templates (workspace_id, id)")
    migrate.enable_rls(op, "templates")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
