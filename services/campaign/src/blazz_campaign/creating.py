"""Creating: the campaign, its list as it came and the job that freezes it are stored in one transaction."""

from typing import Any

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Database
from blazz_chassis.errors import Invalid
from blazz_chassis.ids import uuid7
from blazz_chassis.jobs import Jobs
from blazz_chassis.outbox import Outbox
from blazz_contracts.views.campaign import CampaignView, CreateCampaign

from blazz_campaign import audit, freezing, lists, row, spreadsheet
from blazz_campaign.channels import Channels

_INSERT = f"""
insert into campaigns (id, workspace_id, name, channel_id, content, state, job_id, created_by, told_revision)
values ($1, $2, $3, $4, $5, $6, $7, $8, 1)
returning {row.COLUMNS}, now() as now
"""  # noqa: S608


class Creating:
    """Creates campaigns."""

    def __init__(self, database: Database, outbox: Outbox, jobs: Jobs, channels: Channels) -> None:
        self._database, self._outbox, self._jobs, self._channels = database, outbox, jobs, channels

    async def create(self, context: WorkspaceContext, asked: CreateCampaign) -> CampaignView:
        """Store a campaign; its list is frozen in the background. Raises `Invalid`, `NotFound`, `Conflict`."""
        content = _content(asked)
        if asked.csv is not None:
            spreadsheet.check(asked.csv)
            kind, parts = "csv", lists.parts_of_csv(asked.csv)
        else:
            kind, parts = "json", lists.parts_of_json(asked.recipients or [])
        await (self._channels.require if asked.start else self._channels.find)(context, asked.channel_id)
        campaign_id = uuid7()
        async with self._database.api(context.workspace_id) as connection:
            job_id = await self._jobs.add(
                connection,
                freezing.KIND,
                context.workspace_id,
                {"campaign_id": str(campaign_id), "kind": kind},
                created_by=context.actor_id,
            )
            campaign = row.of(
                await connection.fetchrow(
                    _INSERT,
                    campaign_id,
                    context.workspace_id,
                    asked.name,
                    asked.channel_id,
                    content,
                    "freezing" if asked.start else "draft",
                    job_id,
                    context.actor_id,
                )
            )
            await lists.keep(connection, campaign_id, context.workspace_id, parts)
            told = audit.recorded(context, "campaign.created", campaign_id, {"name": asked.name})
            receipt = await self._outbox.add(connection, [campaign.progress(), told])
        await self._outbox.send(receipt)
        return campaign.view()


def _content(asked: CreateCampaign) -> dict[str, Any]:
    content = {"type": "text", **asked.text.model_dump()} if asked.text else {}
    if asked.template:
        content = asked.template.model_dump()
    if _has_nul(asked.name):
        raise Invalid("a name cannot have a NUL character", field="name")
    if _has_nul(content):
        raise Invalid("a message cannot carry a NUL character", field="template" if asked.template else "text")
    return content


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(map(_has_nul, value))
