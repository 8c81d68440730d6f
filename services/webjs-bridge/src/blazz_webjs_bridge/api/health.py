"""What an instance says of itself, as the old service's `/health` did. Whether it is ready: `/readyz`."""

from blazz_contracts.event import Contract
from fastapi import APIRouter
from pydantic import Field

from blazz_webjs_bridge.fleet import Fleet
from blazz_webjs_bridge.settings import Settings


class HealthView(Contract):
    """One instance of the bridge and what it can carry."""

    instance: str
    version: str = Field(description="Of the package.")
    capacity: int = Field(ge=0, description="WhatsApp Web sessions this instance can run.")
    sessions: int = Field(ge=0, description="Sessions it runs now.")
    memory_bytes: int = Field(ge=0, description="What their browsers hold together.")


def router(settings: Settings, fleet: Fleet, version: str) -> APIRouter:
    """The route `/health`."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> HealthView:
        """What this instance carries and can carry."""
        return HealthView(
            instance=settings.instance,
            version=version,
            capacity=settings.webjs_bridge_capacity,
            sessions=fleet.count,
            memory_bytes=fleet.memory,
        )

    return routes
