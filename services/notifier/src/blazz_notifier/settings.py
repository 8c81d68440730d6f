"""What the notifier reads from its environment besides the settings every service has."""

from typing import Annotated

from blazz_chassis.settings import ServiceSettings
from pydantic import Field, field_validator
from pydantic_settings import NoDecode


class Settings(ServiceSettings):
    """Defaults follow Pusher's own limits where it publishes one (pusher.com/docs/channels, "Limits")."""

    http_port: int = Field(default=8004, ge=0, le=65535)

    notifier_ws_host: str = "127.0.0.1"
    notifier_ws_port: int = Field(default=8080, ge=0, le=65535, description="0 takes a free port.")
    notifier_allowed_origins: Annotated[list[str], NoDecode] = Field(
        default=["*"],
        description="Hosts whose pages may connect, comma separated, with `*` as wildcard. What protects a channel is "
        "its signature; this only keeps strangers' pages from using up connections.",
    )

    notifier_activity_timeout: float = Field(
        default=120,
        gt=0,
        description="Seconds of silence after which client and server ask each other for a sign of life.",
    )
    notifier_pong_timeout: float = Field(default=30, gt=0, description="Seconds within which a ping must be answered.")
    notifier_max_connections: int = Field(
        default=20_000, gt=0, description="Sockets of this instance; about 20 KB of memory each."
    )
    notifier_socket_days: float = Field(
        default=28,
        gt=0,
        lt=30,
        description="Days after which a socket is asked to connect again: the gateway remembers for 30 whose it is.",
    )
    notifier_deaf_seconds: float = Field(
        default=1800,
        gt=0,
        description="Seconds without the broker after which all subscribed sockets are asked to connect again: whose "
        "access ended meanwhile was told for an hour only.",
    )
    notifier_stranger_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of the sockets that may have no signed subscription."
    )
    notifier_strangers_of_address: int = Field(
        default=200,
        gt=0,
        description="Sockets of one address without a signed subscription; the oldest goes. A large office behind one "
        "address has a few at a time.",
    )
    notifier_stranger_seconds: float = Field(
        default=600, gt=0, description="Seconds after which a socket without a signed subscription connects again."
    )
    notifier_public_channels: int = Field(
        default=10_000, gt=0, description="Public channels of this instance: their names are anybody's to make up."
    )
    notifier_workspace_connections: int = Field(
        default=5_000,
        gt=0,
        description="Sockets of one workspace on this instance, so that none uses up the others' share.",
    )
    notifier_socket_channels: int = Field(default=100, gt=0, description="Channels one socket may subscribe to.")
    notifier_message_bytes: int = Field(
        default=10_000, gt=0, description="Largest data of a client event or of an event triggered over HTTP."
    )
    notifier_client_event_rate: float = Field(default=10, gt=0, description="Client events a second of one socket.")
    notifier_message_rate: float = Field(
        default=100, gt=0, description="Messages a second read from one socket; more wait in its own TCP connection."
    )
    notifier_presence_members: int = Field(default=1_000, gt=0, description="Users of one presence channel.")
    notifier_presence_info_bytes: int = Field(
        default=1_024, gt=0, description="Largest user_info of a presence member."
    )
    notifier_write_buffer: int = Field(
        default=1_000_000,
        gt=0,
        description="Bytes a reader may lag behind (on top of the kernel's buffer) before it is cut.",
    )

    notifier_bind_timeout: float = Field(
        default=5, gt=0, description="Seconds a subscription waits for the broker before it is told to be patient."
    )
    notifier_linger: float = Field(
        default=30, ge=0, description="Seconds a workspace stays bound after its last listener left: reloads are many."
    )
    notifier_queue_length: int = Field(
        default=20_000,
        gt=0,
        description="Events kept for an instance that lags; then the oldest are dropped, and clients told.",
    )
    notifier_presence_lease: float = Field(
        default=15, gt=0, description="Seconds after which the members of an instance that fell silent are gone."
    )
    notifier_presence_check: float = Field(
        default=30, gt=0, description="Seconds between two comparisons of what listeners were told with the database."
    )
    notifier_drain: float = Field(
        default=5,
        ge=0,
        description="Seconds over which sockets are closed at shutdown, so that not all reconnect at once.",
    )

    @field_validator("notifier_allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
