"""Asking about channels over HTTP, as they are on all instances together."""

from typing import Annotated, Any

from blazz_chassis.errors import BlazzError
from fastapi import APIRouter, Depends, Query

from blazz_notifier.api.authentication import signed
from blazz_notifier.occupancy import Occupancy
from blazz_notifier.settings import Settings

_PRESENCE = "presence-"


class _PresenceOnly(BlazzError):
    """Only presence channels have users."""

    code, title, status = "presence_only", "Only presence channels have users: name one that begins with presence-", 400


async def info_of(occupancy: Occupancy, channels: list[str], info: str) -> dict[str, dict[str, Any]]:
    """The attributes asked for (comma separated) of these channels."""
    asked = {part.strip() for part in info.split(",")}
    counts = await occupancy.counts(names=channels)
    users = {}
    if "user_count" in asked:
        users = await occupancy.user_counts([name for name in channels if name.startswith(_PRESENCE)])
    found: dict[str, dict[str, Any]] = {}
    for name in channels:
        attributes: dict[str, Any] = {}
        if "occupied" in asked:
            attributes["occupied"] = counts.get(name, 0) > 0
        if "user_count" in asked and name.startswith(_PRESENCE):
            attributes["user_count"] = users.get(name, 0)
        if "subscription_count" in asked:
            attributes["subscription_count"] = counts.get(name, 0)
        found[name] = attributes
    return found


def router(settings: Settings, occupancy: Occupancy) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/apps/{app_id}/channels", tags=["channels"], dependencies=[Depends(signed(settings))])

    @routes.get("")
    async def channels(
        filter_by_prefix: Annotated[str | None, Query(max_length=200)] = None,
        info: Annotated[str, Query(max_length=200)] = "",
    ) -> dict[str, Any]:
        """Occupied channels. Counts of other instances may be a second old."""
        if "user_count" in info and not (filter_by_prefix or "").startswith(_PRESENCE):
            raise _PresenceOnly("user_count is for presence channels: filter_by_prefix must begin with presence-")
        names = sorted(await occupancy.counts(prefix=filter_by_prefix))
        return {"channels": await info_of(occupancy, names, info)}

    @routes.get("/{channel}")
    async def channel(channel: str, info: Annotated[str, Query(max_length=200)] = "") -> dict[str, Any]:
        """One channel: `occupied`, and what `info` asks for."""
        return (await info_of(occupancy, [channel], f"occupied,{info}"))[channel]

    @routes.get("/{channel}/users")
    async def users(channel: str) -> dict[str, Any]:
        """The users of a presence channel."""
        if not channel.startswith(_PRESENCE):
            raise _PresenceOnly
        return {"users": [{"id": user_id} for user_id in await occupancy.users(channel)]}

    return routes
