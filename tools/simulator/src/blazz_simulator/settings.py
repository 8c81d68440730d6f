"""Settings of the simulator, read from the environment (prefix `BLAZZ_SIM_`)."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that can be set before the start; what can change later is in the control API (`/_sim/...`)."""

    model_config = SettingsConfigDict(env_prefix="BLAZZ_SIM_", extra="ignore")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8090, ge=0, le=65535)
    """TCP port to listen on; 0 takes a free one and logs it."""
    public_url: str = ""
    """Base of the media URLs handed out. Empty: taken from each request's own Host header."""
    data: Path | None = None
    """Folder for uploaded media (in `media/`, cleared at start) and for who is linked to WhatsApp Web (kept). Empty:
    media are in a temporary folder that is removed at exit, and linked devices are forgotten."""
    log_level: str = "INFO"
    """Lowest level that is logged."""
    log_json: bool = False
    """One JSON object a line instead of text for a terminal."""

    phone_number_id: str = "100000000000001"
    """Id of the default account's phone number."""
    display_phone_number: str = "15550100001"
    """The default account's number, digits only."""
    verified_name: str = "Blazz Demo"
    """Name customers see for the default account."""
    waba_id: str = "200000000000001"
    """WhatsApp Business Account that owns the default number."""
    app_id: str = "300000000000001"
    """App that is subscribed to the default account's webhooks."""
    access_token: str = "sim-access-token"  # noqa: S105 - a simulator's token guards nothing
    """Bearer token the default account's Graph API calls must carry."""
    app_secret: str = "sim-app-secret"  # noqa: S105
    """Key of the webhook signature of the default account."""
    verify_token: str = "sim-verify-token"  # noqa: S105
    """Token of the webhook handshake of the default account."""
    callback_url: str = ""
    """Where the default account's webhooks go. Empty: no app is subscribed, and none are kept."""

    ledger_max: int = Field(default=1_000_000, ge=1)
    """Accepted sends kept in the ledger; the oldest go first (about 100 bytes each, compressed)."""
    phones_max: int = Field(default=50_000, ge=1)
    """Customer phones kept; the one idle longest goes first."""
    phone_messages_max: int = Field(default=200, ge=1)
    """Messages kept on one phone; the oldest go first."""
    media_max_bytes: int = Field(default=2 * 1024**3, ge=1)
    """Media bytes kept in the data folder; the oldest go first. The default is 2 GiB."""
    media_url_seconds: float = Field(default=300, gt=0)
    """Seconds a media download URL is valid (Meta: 5 minutes)."""
    user_ids: bool = True
    """Give each customer a business-scoped user id beside the phone number, as WhatsApp does since usernames."""

    webhook_timeout: float = Field(default=10, gt=0)
    """Seconds to wait for the receiver's answer to one webhook."""
    webhook_backoff_first: float = Field(default=0.5, gt=0)
    """Seconds before the second try of a webhook; doubles with every further try."""
    webhook_backoff_cap: float = Field(default=2.0, gt=0)
    """Longest wait in seconds between two tries of a webhook (Meta goes up to hours; here nobody wants to wait)."""
    webhook_connections: int = Field(default=8, ge=1)
    """Webhooks of one phone number that are on the way at the same time."""
    webhook_pending_max: int = Field(default=300_000, ge=1)
    """Updates kept for one phone number whose receiver does not answer. At the limit new sends of that number are
    refused with error 131016 until the receiver answers again: nothing kept is ever dropped. An update takes about
    700 bytes."""
    template_review_seconds: float = Field(default=0.5, ge=0)
    """Seconds until a new template is approved."""
    seed: int = 1
    """Seed of every random choice (faults with a share, shuffled statuses)."""
