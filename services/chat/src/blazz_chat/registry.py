"""Channels, as their owners manage them. Every change is told in `channel.updated` and recorded in the audit log."""

from typing import Any
from uuid import UUID

import asyncpg
import orjson
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import Conflict, Invalid, NotFound
from blazz_chassis.ids import uuid7
from blazz_chassis.outbox import Outbox, Receipt
from blazz_chassis.seal import Sealer
from blazz_contracts import Event
from blazz_contracts.views.channel import (
    ChannelLimits,
    ChannelView,
    CreateChannel,
    CreateWebChannel,
    UpdateChannel,
    WebLimits,
)
from pydantic import SecretStr

from blazz_chat import audit, web
from blazz_chat.channel_events import updated
from blazz_chat.channels import Channels
from blazz_chat.providers.numbers import Numbers

_SECRETS = ("access_token", "app_secret", "verify_token")
_INSERT = """
insert into channels (id, workspace_id, provider, name, phone_number_id, waba_id, display_phone_number,
                      sealed_credentials, webhook_identifier, limits)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *
"""
_INSERT_WEB = """
insert into channels (id, workspace_id, provider, name, sealed_credentials, limits)
values ($1, $2, 'webjs', $3, $4, $5) on conflict (id) do nothing returning *
"""
_GET = "select * from channels where workspace_id = $1 and id = $2 and deleted_at is null"
# Two who change different things at once both get their way; nor is a number started again that was stopped meanwhile.
_GET_TO_CHANGE = f"{_GET} for no key update"
_LIST = "select * from channels where workspace_id = $1 and deleted_at is null order by created_at, id"
_UPDATE = """
update channels
set name = $3, sealed_credentials = $4, limits = $5, state = $6, state_reason = $7, revision = revision + 1
where workspace_id = $1 and id = $2 returning *
"""
_DELETE = """
update channels set deleted_at = now(), state = 'stopped', state_reason = 'deleted', revision = revision + 1
where workspace_id = $1 and id = $2 returning *
"""
_RELEASE = """
update messages set waits_for = null
where workspace_id = $1 and channel_id = $2 and status = 'pending' and waits_for = 'channel_stopped'
"""


class Registry:
    """Creates, changes and deletes channels."""

    def __init__(
        self, database: Database, outbox: Outbox, sealer: Sealer, channels: Channels, numbers: Numbers
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._sealer = sealer
        self._channels = channels
        self._numbers = numbers

    async def create(self, context: WorkspaceContext, asked: CreateChannel) -> ChannelView:
        """Connect a number that the access token may use.

        Raises `Conflict` when it is connected already, here or elsewhere; `Invalid` when Meta says that it may not;
        `Unavailable` while Meta cannot be asked.
        """
        displayed = await self._numbers.check(asked.phone_number_id, asked.access_token.get_secret_value())
        sealed = self._seal({name: getattr(asked, name).get_secret_value() for name in _SECRETS})
        channel_id = uuid7()
        try:
            async with self._database.api(context.workspace_id) as connection:
                row = await connection.fetchrow(
                    _INSERT,
                    channel_id,
                    context.workspace_id,
                    asked.provider,
                    asked.name,
                    asked.phone_number_id,
                    asked.waba_id,
                    asked.display_phone_number or displayed,
                    sealed,
                    channel_id.hex,
                    asked.limits.model_dump(),
                )
                receipt = await self._tell(connection, context, row, "channel.created")
        except asyncpg.UniqueViolationError as error:
            raise Conflict(
                "this number is connected already: a number belongs to one workspace at a time",
                code="channel_exists",
                field="phone_number_id",
            ) from error
        await self._outbox.send(receipt)
        return view(row)

    async def create_web(self, context: WorkspaceContext, asked: CreateWebChannel) -> tuple[ChannelView, bool]:
        """The channel of a WhatsApp Web session, and whether it is new. Raises `Conflict` when the id is another's."""
        channel_id = asked.id or uuid7()
        async with self._database.api(context.workspace_id) as connection:
            row = await connection.fetchrow(
                _INSERT_WEB, channel_id, context.workspace_id, asked.name, self._seal({}), asked.limits.model_dump()
            )
            if row is None:
                known = await connection.fetchrow(_GET, context.workspace_id, channel_id)
                if known is None or known["provider"] != web.PROVIDER:
                    raise Conflict("another channel has, or had, this id", code="channel_exists", field="id")
                return view(known), False
            receipt = await self._tell(connection, context, row, "channel.created")
        self._channels.forget(channel_id)
        await self._outbox.send(receipt)
        return view(row), True

    async def list(self, workspace_id: UUID) -> list[ChannelView]:
        """All channels of a workspace, oldest first."""
        async with self._database.api(workspace_id) as connection:
            return [view(row) for row in await connection.fetch(_LIST, workspace_id)]

    async def get(self, workspace_id: UUID, channel_id: UUID) -> ChannelView:
        """One channel. Raises `NotFound`."""
        async with self._database.api(workspace_id) as connection:
            return view(await self._row(connection, workspace_id, channel_id))

    async def update(self, context: WorkspaceContext, channel_id: UUID, asked: UpdateChannel) -> ChannelView:
        """Change what is named; `state: active` starts a stopped number and lets its waiting messages go.

        A new access token is tried first: raises as `create` does.
        """
        if asked.access_token is not None:
            number = (await self.get(context.workspace_id, channel_id)).phone_number_id
            if number is not None:
                await self._numbers.check(number, asked.access_token.get_secret_value())
        async with self._database.api(context.workspace_id) as connection:
            before = await self._row(connection, context.workspace_id, channel_id, sql=_GET_TO_CHANGE)
            secrets = orjson.loads(self._sealer.open(before["sealed_credentials"]))
            for name in _SECRETS:
                new: SecretStr | None = getattr(asked, name)
                if new is not None and before["provider"] == web.PROVIDER:
                    raise Invalid("a WhatsApp Web number has none", field=name)
                if new is not None:
                    secrets[name] = new.get_secret_value()
            state = asked.state or before["state"]
            reason = before["state_reason"] if state == before["state"] else None
            if asked.state == "stopped" and before["state"] != "stopped":
                reason = "stopped by hand"
            row = await connection.fetchrow(
                _UPDATE,
                context.workspace_id,
                channel_id,
                asked.name or before["name"],
                self._seal(secrets),
                _limits(before["provider"], asked.limits) if asked.limits else before["limits"],
                state,
                reason,
            )
            if state == "active":
                await connection.execute(_RELEASE, context.workspace_id, channel_id)
            receipt = await self._tell(connection, context, row, "channel.updated")
        self._channels.forget(channel_id)
        await self._outbox.send(receipt)
        return view(row)

    async def delete(self, context: WorkspaceContext, channel_id: UUID) -> None:
        """Disconnect a number; its conversations stay, and what it had still to send fails (`abandoning`)."""
        async with self._database.api(context.workspace_id) as connection:
            await self._row(connection, context.workspace_id, channel_id, sql=_GET_TO_CHANGE)
            row = await connection.fetchrow(_DELETE, context.workspace_id, channel_id)
            await connection.execute(_RELEASE, context.workspace_id, channel_id)
            receipt = await self._tell(connection, context, row, "channel.deleted")
        self._channels.forget(channel_id)
        await self._outbox.send(receipt)

    async def _row(self, connection: Connection, workspace_id: UUID, channel_id: UUID, *, sql: str = _GET) -> Any:
        row = await connection.fetchrow(sql, workspace_id, channel_id)
        if row is None:
            raise NotFound("there is no such channel in this workspace", code="channel_not_found")
        return row

    def _seal(self, secrets: dict[str, str]) -> str:
        return self._sealer.seal(orjson.dumps(secrets))

    async def _tell(self, connection: Connection, context: WorkspaceContext, row: Any, action: str) -> Receipt:
        data = {"name": row["name"], "state": row["state"]}
        events: list[Event] = [
            updated(row, self._sealer),
            audit.recorded(context, action, "channel", row["id"], data),
        ]
        return await self._outbox.add(connection, events)


def _limits(provider: str, asked: ChannelLimits) -> dict[str, Any]:
    """Each provider has its own defaults for what a request leaves out."""
    return (WebLimits(**asked.model_dump(exclude_unset=True)) if provider == web.PROVIDER else asked).model_dump()


def view(row: Any) -> ChannelView:
    """A channel without its secrets."""
    return ChannelView(
        id=row["id"],
        provider=row["provider"],
        name=row["name"],
        phone_number_id=row["phone_number_id"],
        waba_id=row["waba_id"],
        display_phone_number=row["display_phone_number"],
        webhook_identifier=row["webhook_identifier"],
        state=row["state"],
        state_reason=row["state_reason"],
        limits=ChannelLimits(**row["limits"]),
        session_state=row["session_state"],
        session_cause=row["session_cause"],
        session_since=row["session_since"],
        created_at=row["created_at"],
    )
