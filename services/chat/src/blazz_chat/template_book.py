"""Templates as their owners keep them: their own for WhatsApp Web, and Meta's, taken over. Changes are audited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import Conflict, NotFound
from blazz_chassis.ids import uuid7
from blazz_chassis.outbox import Outbox, Receipt
from blazz_contracts.events import ProviderTemplate
from blazz_contracts.views.page import Page
from blazz_contracts.views.template import PutTemplate, SyncedTemplates, TemplateView

from blazz_chat import audit
from blazz_chat.channels import Channels
from blazz_chat.providers.meta_templates import MetaTemplates
from blazz_chat.storable import storable
from blazz_chat.templates import OWN, Templates

# Meta's own limit for an account that it has not verified is 250; nobody writes more by hand.
MOST_OWN = 1000

_LIST = """
select * from templates where workspace_id = $1 and ($2::text is null or name = $2) and ($3::uuid is null or id > $3)
order by id limit $4
"""
# The one that WhatsApp Web sends.
_GET = """
select * from templates where workspace_id = $1 and name = $2 and language = $3
order by waba_id = '' desc, status = 'APPROVED' desc, updated_at desc, id limit 1
"""
_COUNT = "select count(*) from templates where workspace_id = $1 and waba_id = ''"
_PUT = """
insert into templates (id, workspace_id, waba_id, name, language, category, status, components)
values ($1, $2, '', $3, $4, $5, 'APPROVED', $6)
on conflict (workspace_id, name, language, waba_id) do update
set category = excluded.category, components = excluded.components, status_at = now(), updated_at = now()
returning *, xmax = 0 as new
"""
_DELETE = "delete from templates where workspace_id = $1 and name = $2 and language = $3 and waba_id = '' returning id"
# As Meta had it when it was asked: a list that was asked for later is newer, and so is a status that a webhook told in
# between. In the order of names, so that two who do it at once wait for each other in one direction only.
_KEEP = """
insert into templates (id, workspace_id, waba_id, name, language, category, status, components, provider_template_id,
                       status_at, updated_at)
select r.id, $1, $2, r.name, r.language, r.category, r.status, r.components, r.provider_template_id, $4, $4
from jsonb_to_recordset($3::jsonb)
     r (id uuid, name text, language text, category text, status text, components jsonb, provider_template_id text)
order by r.name, r.language
on conflict (workspace_id, name, language, waba_id) do update
set category = excluded.category, components = excluded.components,
    provider_template_id = excluded.provider_template_id, updated_at = excluded.updated_at,
    status = case when templates.status_at > excluded.status_at then templates.status else excluded.status end,
    status_at = greatest(templates.status_at, excluded.status_at)
where templates.updated_at <= excluded.updated_at
"""
_REMOVE = """
delete from templates t where t.workspace_id = $1 and t.waba_id = $2 and t.updated_at <= $5
  and not exists (select 1 from unnest($3::text[], $4::text[]) r (name, language)
                  where r.name = t.name and r.language = t.language)
"""
_TOLD = """
update templates set status = $3, status_at = $4
where workspace_id = $1 and provider_template_id = $2 and status_at < $4 and waba_id <> ''
"""
# Meta's events ("message_template_status_update") that are no status by themselves: a warning, and the end of a pause.
_EVENTS = {"FLAGGED": None, "REINSTATED": "APPROVED", "UNPAUSED": "APPROVED"}
STATUS_FIELD = "message_template_status_update"


class TemplateBook:
    """Keeps the templates of workspaces."""

    def __init__(
        self, database: Database, outbox: Outbox, channels: Channels, meta: MetaTemplates, templates: Templates
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._channels = channels
        self._meta = meta
        self._templates = templates

    async def list(
        self, workspace_id: UUID, *, name: str | None, cursor: UUID | None, limit: int
    ) -> Page[TemplateView]:
        """The workspace's templates, in the order in which they came here."""
        async with self._database.api(workspace_id) as connection:
            rows = await connection.fetch(_LIST, workspace_id, name, cursor, limit + 1)
        items = [_view(row) for row in rows[:limit]]
        return Page[TemplateView](items=items, next=str(items[-1].id) if len(rows) > limit else None)

    async def get(self, workspace_id: UUID, name: str, language: str) -> TemplateView:
        """The one that WhatsApp Web would send. Raises `NotFound`."""
        async with self._database.api(workspace_id) as connection:
            row = await connection.fetchrow(_GET, workspace_id, name, language)
        if row is None:
            raise _no_such()
        return _view(row)

    async def put(
        self, context: WorkspaceContext, name: str, language: str, asked: PutTemplate
    ) -> tuple[TemplateView, bool]:
        """Write one of the workspace's own, and whether it is new. Raises `Conflict` when there are too many."""
        components = [each.model_dump(exclude_none=True) for each in asked.components]
        async with self._database.api(context.workspace_id) as connection:
            row: Any = await connection.fetchrow(
                _PUT, uuid7(), context.workspace_id, name, language, asked.category, components
            )
            if row["new"] and await connection.fetchval(_COUNT, context.workspace_id) > MOST_OWN:
                raise Conflict(f"a workspace has {MOST_OWN} templates of its own at most", code="too_many_templates")
            receipt = await self._record(
                connection, context, "template.saved", row["id"], {"name": name, "language": language}
            )
        self._templates.forget(context.workspace_id)
        await self._outbox.send(receipt)
        return _view(row), row["new"]

    async def delete(self, context: WorkspaceContext, name: str, language: str) -> None:
        """Delete one of the workspace's own. Raises `NotFound`; `Conflict` for Meta's, which are deleted there."""
        async with self._database.api(context.workspace_id) as connection:
            gone = await connection.fetchval(_DELETE, context.workspace_id, name, language)
            if gone is None:
                if await connection.fetchrow(_GET, context.workspace_id, name, language) is None:
                    raise _no_such()
                raise Conflict(
                    "this template is Meta's: delete it there, then take the templates over again",
                    code="template_from_meta",
                )
            receipt = await self._record(
                connection, context, "template.deleted", gone, {"name": name, "language": language}
            )
        self._templates.forget(context.workspace_id)
        await self._outbox.send(receipt)

    async def sync(self, context: WorkspaceContext, channel_id: UUID) -> SyncedTemplates:
        """Take over what the account of a Cloud API number has; what it has no more is removed.

        Raises `NotFound` for a foreign channel, `Conflict` for one that is not on the Cloud API, and as
        `MetaTemplates.of` does.
        """
        async with self._database.api(context.workspace_id) as connection:
            channel = (await self._channels.get(connection, [channel_id])).get(channel_id)
            asked_at: datetime = await connection.fetchval("select now()")
        if channel is None or channel.workspace_id != context.workspace_id:
            raise NotFound("there is no such channel in this workspace", code="channel_not_found", field="channel_id")
        waba_id = channel.waba_id
        if channel.by_session or not waba_id:
            raise Conflict(
                "WhatsApp Web has no templates: name a number on Meta's Cloud API, or write your own",
                code="no_templates",
                field="channel_id",
            )
        listed = await self._meta.of(waba_id, channel.access_token)
        found = {(each["name"], each["language"]): each for each in storable(listed.templates)}
        async with self._database.api(context.workspace_id) as connection:
            await self._keep(connection, context.workspace_id, waba_id, list(found.values()), asked_at)
            # What was passed over is there all the same: what is known here of it stays.
            there = [*found, *((storable(name), storable(language)) for name, language in listed.passed_over)]
            removed = await self._remove(connection, context.workspace_id, waba_id, there, asked_at)
            done = {"waba_id": waba_id, "kept": len(found), "removed": removed}
            receipt = await self._record(connection, context, "templates.synced", channel_id, done)
        self._templates.forget(context.workspace_id)
        await self._outbox.send(receipt)
        return SyncedTemplates(waba_id=waba_id, kept=len(found), removed=removed, passed_over=len(listed.passed_over))

    async def _keep(
        self,
        connection: Connection,
        workspace_id: UUID,
        waba_id: str,
        listed: Sequence[dict[str, Any]],
        asked_at: datetime,
    ) -> None:
        await connection.execute(
            _KEEP,
            workspace_id,
            waba_id,
            [
                each | {"id": str(uuid7()), "provider_template_id": each["id"], "status": each["status"].upper()}
                for each in listed
            ],
            asked_at,
        )

    async def _remove(
        self,
        connection: Connection,
        workspace_id: UUID,
        waba_id: str,
        there: Sequence[tuple[str, str]],
        asked_at: datetime,
    ) -> int:
        names, languages = [name for name, _ in there], [language for _, language in there]
        gone = await connection.execute(_REMOVE, workspace_id, waba_id, names, languages, asked_at)
        return int(gone.split()[-1])

    async def told(self, event: ProviderTemplate) -> None:
        """Take a status that Meta tells of a template that is known here; late news changes nothing."""
        said, named = event.value.get("event"), event.value.get("message_template_id")
        if event.field != STATUS_FIELD or not isinstance(said, str) or not isinstance(named, str | int):
            return
        status = _EVENTS.get(said.upper(), said.upper()[:32])
        if status is None or not status.replace("_", "").isalpha():
            return
        async with self._database.worker() as connection:
            await connection.execute(
                _TOLD, event.workspace_id, str(named)[:64].replace("\0", ""), status, event.received_at
            )
        self._templates.forget(event.workspace_id)

    async def _record(
        self, connection: Connection, context: WorkspaceContext, action: str, target: UUID, data: dict[str, Any]
    ) -> Receipt:
        return await self._outbox.add(connection, [audit.recorded(context, action, "template", target, data)])


def _no_such() -> NotFound:
    return NotFound("there is no such template in this workspace", code="template_not_found")


def _view(row: Any) -> TemplateView:
    return TemplateView(
        id=row["id"],
        name=row["name"],
        language=row["language"],
        category=row["category"],
        status=row["status"],
        source="meta" if row["waba_id"] != OWN else "workspace",
        waba_id=row["waba_id"] or None,
        components=row["components"],
        status_at=row["status_at"],
        updated_at=row["updated_at"],
    )
