"""The composition root of webjs-bridge."""

from importlib.metadata import version

from blazz_chassis.app import Service

from blazz_webjs_bridge.health_view import HealthView
from blazz_webjs_bridge.settings import Settings

# This release drives no browser: it takes its place in the deployment, and says that it can hold no session.
CAPACITY = 0


def build(settings: Settings) -> Service:
    """Assemble the service."""
    service = Service("webjs-bridge", settings)
    package_version = version("blazz-webjs-bridge")

    @service.http_app.get("/health")
    async def health() -> HealthView:
        """What this instance can carry. Whether it is ready: `/readyz`."""
        return HealthView(instance=settings.instance, version=package_version, capacity=CAPACITY, sessions=0)

    async def checked() -> None:
        settings.require("database_api_url", "database_worker_url")

    service.on_start(checked)
    return service
