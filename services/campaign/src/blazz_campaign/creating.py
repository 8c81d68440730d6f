"""Creating: the campaign, its list as it came and the job that freezes it are stored in one transaction.

What is asked for twice under one key, because the first answer was lost, is one campaign.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Database
from blazz_chassis.errors import Invalid, Unavailable
from blazz_chassis.ids import uuid7
from blazz_chassis.jobs import Jobs
from blazz_chassis.outbox import Outbox, Receipt
from blazz_contracts.views.campaign import CampaignView, CreateCampaign

from blazz_campaign import audit, freezing, lists, row, spreadsheet
from blazz_campaign.channels import Channels
from blazz_campaign.wording import LONGEST, Wording

_INSERT = f"""
insert into campaigns (id, workspace_id, name, channel_id, content, state, job_id, created_by, request_key,
                       request_hash, told_revision)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)
on conflict (workspace_id, request_key) where request_key is not null do nothing
returning {row.COLUMNS}, now() as now
"""  # noqa: S608
_STORED = f"""
select {row.COLUMNS}, request_hash = $3 as same from campaigns where workspace_id = $1 and request_key = $2
"""  # noqa: S608


class KeyReused(Invalid):
    """The Idempotency-Key was used with another body."""

    code, title = "idempotency_key_reused", "This Idempotency-Key was used with another request; use a new one"


@dataclass(frozen=True, slots=True)
class _Key:
    """An Idempotency-Key and what was asked for under it."""

    text: str
    fingerprint: bytes


class _Stored(Exception):
    """Another request under the same key was first."""


class Creating:
    """Creates campaigns."""

    def __init__(self, database: Database, outbox: Outbox, jobs: Jobs, channels: Channels) -> None:
        self._database, self._outbox, self._jobs, self._channels = database, outbox, jobs, channels

    async def create(
        self, context: WorkspaceContext, asked: CreateCampaign, request_key: str | None = None
    ) -> CampaignView:
        """Store a campaign; its list is frozen in the background. Raises `Invalid`, `NotFound`, `Conflict`.

        Under a `request_key` that is known it is the campaign of the first request, as it is now, or `KeyReused`.
        """
        content = _content(asked)
        key = None if request_key is None else _Key(request_key, _fingerprint(asked))
        # Before the channel is looked at: what was accepted stays accepted, though the channel was stopped since.
        stored = await self._stored(context, key)
        if stored is not None:
            return stored
        kind: lists.Kind
        if asked.csv is not None:
            spreadsheet.check(asked.csv)
            kind, parts = "csv", lists.parts_of_csv(asked.csv)
        else:
            kind, parts = "json", lists.parts_of_json(asked.recipients or [])
        await (self._channels.require if asked.start else self._channels.find)(context, asked.channel_id)
        try:
            campaign, receipt = await self._store(context, asked, content, kind, parts, key)
        except _Stored:
            stored = await self._stored(context, key)
            if stored is None:
                raise Unavailable from None
            return stored
        await self._outbox.send(receipt)
        return campaign.view()

    async def _stored(self, context: WorkspaceContext, key: _Key | None) -> CampaignView | None:
        if key is None:
            return None
        async with self._database.api(context.workspace_id) as connection:
            found = await connection.fetchrow(_STORED, context.workspace_id, key.text, key.fingerprint)
        if found is None:
            return None
        values = dict(found)
        if not values.pop("same"):
            raise KeyReused(field="Idempotency-Key")
        return row.of(values).view()

    async def _store(
        self,
        context: WorkspaceContext,
        asked: CreateCampaign,
        content: dict[str, Any],
        kind: lists.Kind,
        parts: Sequence[bytes],
        key: _Key | None,
    ) -> tuple[row.Campaign, Receipt]:
        """Raises `_Stored`, and stores nothing, when another request under this key was first."""
        campaign_id = uuid7()
        async with self._database.api(context.workspace_id) as connection:
            job_id = await self._jobs.add(
                connection,
                freezing.KIND,
                context.workspace_id,
                {"campaign_id": str(campaign_id), "kind": kind},
                created_by=context.actor_id,
            )
            inserted = await connection.fetchrow(
                _INSERT,
                campaign_id,
                context.workspace_id,
                asked.name,
                asked.channel_id,
                content,
                "freezing" if asked.start else "draft",
                job_id,
                context.actor_id,
                key.text if key else None,
                key.fingerprint if key else None,
            )
            if inserted is None:
                raise _Stored
            campaign = row.of(inserted)
            await lists.keep(connection, campaign_id, context.workspace_id, parts)
            told = audit.recorded(context, "campaign.created", campaign_id, {"name": asked.name})
            return campaign, await self._outbox.add(connection, [campaign.progress(), told])


def _fingerprint(asked: CreateCampaign) -> bytes:
    # Without what is left at its default, so that a field a later version adds does not make it another request.
    return hashlib.sha256(asked.model_dump_json(exclude_defaults=True).encode()).digest()


def _content(asked: CreateCampaign) -> dict[str, Any]:
    content = {"type": "text", **asked.text.model_dump()} if asked.text else {}
    if asked.template:
        content = asked.template.model_dump()
    if _has_nul(asked.name):
        raise Invalid("a name cannot have a NUL character", field="name")
    if _has_nul(content):
        raise Invalid("a message cannot carry a NUL character", field="template" if asked.template else "text")
    if Wording(content).length > LONGEST:
        raise Invalid(
            f"has over {LONGEST:,} characters", field="template.components" if asked.template else "text.body"
        )
    return content


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(map(_has_nul, value))
