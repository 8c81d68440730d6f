"""Settings of webjs-bridge, beside those of every service."""

from blazz_chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Environment: `BLAZZ_…`."""

    http_port: int = 8003
