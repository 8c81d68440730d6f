"""What the gateway reads from its environment, besides what every service does."""

from blazz_chassis.settings import ServiceSettings
from pydantic import Field


class GatewaySettings(ServiceSettings):
    """Settings of the gateway; `gateway_access_seconds` is `BLAZZ_GATEWAY_ACCESS_SECONDS`."""

    gateway_access_seconds: int = Field(default=900, gt=0, description="Lifetime of an access token.")
    gateway_session_days: float = Field(
        default=30, gt=0, description="Days a login lives without being refreshed; each refresh starts them anew."
    )
    gateway_auth_cache_seconds: float = Field(
        default=1.5,
        ge=0,
        le=2,
        description="Seconds a credential that was looked up is believed: the longest a revoked one still works.",
    )
    gateway_channel_cache_seconds: float = Field(
        default=2, ge=0, description="Seconds a channel's webhook secrets are believed without looking them up again."
    )
    gateway_user_rate: int = Field(default=60, gt=0, description="Messages a user may send in any 60 seconds.")
    gateway_login_rate: int = Field(
        default=10, gt=0, description="Failed logins of one account from one address in any 60 seconds."
    )
    gateway_socket_rate: int = Field(
        default=600,
        gt=0,
        description="Admissions of websockets to channels that one API token or session may ask for in any 60 seconds. "
        "A backend that signs for its users' sockets asks for all of them with one token.",
    )
    gateway_revoked_repeat_seconds: float = Field(
        default=60, gt=0, description="Seconds between two times that the same websockets are told to be closed."
    )
    gateway_lease_seconds: float = Field(
        default=10,
        gt=0,
        description="Seconds a request holds its Idempotency-Key: longer than check and publish may take together, "
        "and how long a retry gets 409 after a crash.",
    )
    gateway_kept_hours: float = Field(
        default=24, gt=0, description="Hours an Idempotency-Key, and an accepted request, is remembered."
    )
    gateway_check_timeout: float = Field(
        default=1.0, gt=0, description="Seconds chat has for saying whether a message may be sent."
    )
    gateway_proxy_timeout: float = Field(default=10.0, gt=0, description="Seconds another service has to answer.")
    gateway_wait_max: int = Field(default=30, ge=0, description="Most seconds that `Prefer: wait` is granted.")
    gateway_alive_seconds: float = Field(default=5.0, gt=0, description="Seconds between two `webhooks.alive`.")
    gateway_housekeeping_seconds: float = Field(
        default=15.0, gt=0, description="Seconds between two looks for what has expired."
    )
