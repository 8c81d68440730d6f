"""Triggering events over HTTP: `POST /apps/{app_id}/events` and `…/batch_events`."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from blazz_chassis.errors import FieldError, Invalid, TooLarge
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import SocketTriggered
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, model_validator

from blazz_notifier import channel_name
from blazz_notifier.api.authentication import signed
from blazz_notifier.api.channels import info_of
from blazz_notifier.occupancy import Occupancy
from blazz_notifier.settings import Settings

MAX_CHANNELS, MAX_BATCH = 100, 10  # Pusher's own limits
_RESERVED = ("pusher:", "pusher_internal:")  # the protocol's own events

SocketId = Annotated[str, Field(pattern=r"^\d+\.\d+$", description="The socket that caused it, and does not get it.")]
EventName = Annotated[str, Field(min_length=1, max_length=200)]


class Trigger(BaseModel):
    """One event for one or more channels."""

    name: EventName
    data: str = Field(description="What clients get; JSON text where it is an object.")
    channels: list[str] = Field(default=[], max_length=MAX_CHANNELS)
    channel: str | None = Field(default=None, description="Instead of `channels`, when there is one.")
    socket_id: SocketId | None = None
    info: str | None = Field(default=None, description="`user_count`, `subscription_count`: answered per channel.")

    @model_validator(mode="after")
    def _some_channel(self) -> "Trigger":
        if bool(self.channels) == (self.channel is not None):
            raise ValueError("name channels, or one channel")
        return self

    @property
    def named(self) -> list[str]:
        """The channels, however they were named, each once."""
        return list(dict.fromkeys(self.channels if self.channel is None else [self.channel]))


class BatchTrigger(BaseModel):
    """One event of a batch."""

    name: EventName
    data: str
    channel: str
    socket_id: SocketId | None = None
    info: str | None = None


class Batch(BaseModel):
    """Several events, in order."""

    batch: list[BatchTrigger] = Field(min_length=1, max_length=MAX_BATCH)


def _events(
    settings: Settings, where: str, name: str, data: str, channels: Iterable[str], socket_id: str | None
) -> list[SocketTriggered]:
    """One event a workspace: each instance is bound only to the workspaces it has listeners of."""
    if name.startswith(_RESERVED):
        raise Invalid("Names that begin with pusher: are the protocol's own", field=f"{where}name")
    if len(data.encode()) > settings.notifier_message_bytes:
        raise TooLarge(f"data may have {settings.notifier_message_bytes} bytes at most", field=f"{where}data")
    by_workspace: dict[UUID, list[str]] = {}
    for channel in channels:
        try:
            read = channel_name.read(channel)
        except ValueError as error:
            raise Invalid(errors=[FieldError(f"{where}channels", f"{channel[:50]!r}: {error}")]) from error
        by_workspace.setdefault(read.workspace_id, []).append(channel)
    return [
        SocketTriggered(workspace_id=workspace_id, channels=names, event=name, data=data, except_socket_id=socket_id)
        for workspace_id, names in by_workspace.items()
    ]


def router(settings: Settings, publisher: Publisher, occupancy: Occupancy) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/apps/{app_id}", tags=["events"], dependencies=[Depends(signed(settings))])

    @routes.post("/events")
    async def trigger(body: Trigger) -> dict[str, Any]:
        """Send an event to the listeners of up to 100 channels, on every instance.

        Answered when the broker has it; 503 when it does not answer.
        """
        await publisher.publish_many(_events(settings, "", body.name, body.data, body.named, body.socket_id))
        if body.info is None:
            return {}
        return {"channels": await info_of(occupancy, body.named, body.info)}

    @routes.post("/batch_events")
    async def trigger_batch(body: Batch) -> dict[str, Any]:
        """Send up to 10 events, in order."""
        events = [
            event
            for position, each in enumerate(body.batch)
            for event in _events(settings, f"batch.{position}.", each.name, each.data, [each.channel], each.socket_id)
        ]
        await publisher.publish_many(events)
        if all(each.info is None for each in body.batch):
            return {"batch": {}}
        return {
            "batch": [
                (await info_of(occupancy, [each.channel], each.info))[each.channel] if each.info else {}
                for each in body.batch
            ]
        }

    return routes
