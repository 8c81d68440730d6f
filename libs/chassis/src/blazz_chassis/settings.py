"""What a service reads from its environment. One table for all: docs/architecture.md."""

import os
import socket
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from blazz_chassis.errors import SettingsMissing

MIN_CONTEXT_KEY = 32  # HS256 wants a key at least as long as its hash (RFC 7518, 3.2)


def _instance() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class ServiceSettings(BaseSettings):
    """Settings every service has.

    A service adds its own with its name in front: `chat_graph_url` is `BLAZZ_CHAT_GRAPH_URL`. Nothing is required to
    construct it, so that `openapi` and `asyncapi` work anywhere; what a command needs it asks for with `require`.
    """

    model_config = SettingsConfigDict(
        env_prefix="BLAZZ_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    env: Literal["production", "local"] = "production"
    instance: str = Field(default_factory=_instance, description="Name of this instance in logs and leases.")

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65535, description="0 takes a free port.")
    internal_host: str = Field(default="127.0.0.1", description="Where the internal listener is, if there is one.")
    internal_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of a listener for operators: /metrics, and /readyz with what each check found. Without it "
        "they are on the public port in local use, and nowhere in production.",
    )
    http_connections: int = Field(
        default=4_000,
        gt=0,
        description="Connections over which requests are answered 503; over twice as many, new ones are closed.",
    )
    http_head_seconds: float = Field(
        default=10.0, gt=0, description="Seconds a client has for the head of a request (64 KB at most)."
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        description="Reverse proxies in front that append to X-Forwarded-For; 0: the header is ignored. For services "
        "that people reach: gateway, notifier.",
    )
    public_hosts_only: bool = Field(
        default=True,
        description="Fetch what customers link to, and what WhatsApp says where it lies, from public addresses alone. "
        "For services that fetch files: chat, webjs-bridge.",
    )
    body_limit: int = Field(
        default=1_000_000, gt=0, description="Largest request body in bytes, where a route says nothing else."
    )

    amqp_url: SecretStr = SecretStr("")
    publish_timeout: float = Field(default=5.0, gt=0, description="Seconds within which a publish must be confirmed.")
    publish_in_flight: int = Field(
        default=500, gt=0, description="Publishes that may wait for a confirm at once; more gave no more (measured)."
    )
    publish_largest: int = Field(
        default=8_000_000,
        gt=0,
        description="Bytes of a message's body, at most; below the broker's `max_message_size` (16 MiB in RabbitMQ 4), "
        "which closes the channel on a larger one.",
    )
    retry_scale: float = Field(
        default=1.0,
        gt=0,
        description="Times the waits of the retry ladder (below 1 when developing); the same for all services.",
    )
    queue_hold: float = Field(
        default=600.0,
        gt=0,
        description="Seconds a message is held while a dependency is down; below consumer_timeout (30 min).",
    )

    database_owner_url: SecretStr = SecretStr("")
    database_api_url: SecretStr = SecretStr("")
    database_worker_url: SecretStr = SecretStr("")
    database_api_pool: int = Field(default=4, gt=0, description="Connections of the api role, at most.")
    database_worker_pool: int = Field(default=4, gt=0, description="Connections of the worker role, at most.")
    database_acquire_timeout: float = Field(default=5.0, gt=0, description="Seconds to wait for a free connection.")
    database_statement_timeout: float = Field(default=15.0, gt=0, description="Seconds a statement may run.")
    database_api_statement_timeout: float = Field(
        default=5.0, gt=0, description="The same for the api role: somebody waits for the answer."
    )
    database_lock_timeout: float = Field(default=5.0, gt=0, description="Seconds a statement may wait for a lock.")
    database_idle_timeout: float = Field(default=30.0, gt=0, description="Seconds a transaction may sit idle.")

    outbox_lease: float = Field(
        default=30.0,
        gt=0,
        description="Seconds a fresh outbox row belongs to the process that wrote it; the relay takes it after that.",
    )
    outbox_poll: float = Field(default=1.0, gt=0, description="Seconds between two looks of the outbox relay.")

    context_key: SecretStr = SecretStr("")
    seal_key: SecretStr = SecretStr("")

    gateway_url: str = "http://127.0.0.1:8000"
    chat_url: str = "http://127.0.0.1:8001"
    campaign_url: str = "http://127.0.0.1:8002"
    webjs_bridge_url: str = "http://127.0.0.1:8003"
    notifier_url: str = "http://127.0.0.1:8004"

    pusher_app_id: str = "blazz"
    pusher_key: str = "blazz"
    pusher_secret: SecretStr = SecretStr("")

    log_format: Literal["json", "console", "auto"] = Field(
        default="auto", description="auto: console in a terminal, else json."
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_file: str | None = Field(default=None, description="Also logs to this file, JSON, 50 MB times 5.")
    otlp_endpoint: str | None = Field(default=None, description="OTLP/HTTP endpoint; traces are exported when set.")

    shutdown_timeout: float = Field(
        default=25.0, gt=0, description="Seconds an ordered stop may take (Kubernetes kills after 30)."
    )

    @field_validator("context_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_CONTEXT_KEY:
            raise ValueError(f"must be at least {MIN_CONTEXT_KEY} characters")
        return value

    def require(self, *names: str) -> Self:
        """Return self when each of these is set; raise `SettingsMissing` naming the variables that are not."""
        missing = []
        for name in names:
            value = getattr(self, name)
            if value is None or (value.get_secret_value() if isinstance(value, SecretStr) else value) == "":
                missing.append(f"BLAZZ_{name.upper()}")
        if missing:
            raise SettingsMissing(f"set {', '.join(missing)} in the environment")
        return self
