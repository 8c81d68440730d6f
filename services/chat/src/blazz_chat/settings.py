"""Settings of chat, beside those of every service."""

from pathlib import Path

from blazz_chassis.settings import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Environment: `BLAZZ_CHAT_…`. Times are in seconds."""

    http_port: int = 8001
    chat_graph_url: str = Field(default="https://graph.facebook.com", description="Where the Graph API answers.")
    chat_graph_version: str = Field(default="v23.0", pattern=r"^v[0-9]+\.[0-9]+$")
    chat_provider_timeout: float = Field(default=15, gt=0, description="One call to the provider, as a whole.")
    chat_provider_connections: int = Field(
        default=256, ge=16, description="Connections to the provider, and so calls under way, at most."
    )
    chat_in_flight: int = Field(
        default=128,
        ge=1,
        description="Sends of one channel that one instance has under way; urgent ones have as many again.",
    )
    chat_intake_prefetch: int = Field(default=500, ge=1, description="Requests taken from a lane at once.")
    chat_batch_items: int = Field(default=200, ge=1, le=500, description="Most items of a micro-batch.")
    chat_batch_wait: float = Field(default=0.004, ge=0, description="How long a micro-batch waits for company.")
    chat_retry_waits: tuple[float, ...] = Field(
        default=(30, 60, 120), description="Waits before the second, third and fourth try after a passing refusal."
    )
    chat_pair_base: float = Field(default=4, gt=0, description="131056: wait base to the power of the try.")
    chat_tomorrow: float = Field(default=24 * 3600, gt=0, description="131049: wait this long.")
    chat_hold_back: float = Field(
        default=30,
        ge=0,
        description="A message that waits for a retry holds back later ones of its conversation so long.",
    )
    chat_settle: float = Field(
        default=60,
        gt=0,
        description="An attempt of unknown outcome did not happen when webhooks flowed this long without a word of it.",
    )
    chat_gateway_gone: float = Field(
        default=300,
        gt=0,
        description="A gateway that was heard after the attempt is waited for, unless it has been silent this long.",
    )
    chat_claim_fresh: float = Field(
        default=5, gt=0, description="A claim older than this is given back, not sent: the process was stalled."
    )
    chat_poll: float = Field(default=0.5, gt=0, description="How often what is due is looked for without being told.")
    chat_session_window: int = Field(
        default=20, ge=1, description="Messages that a WhatsApp Web session may have in hand; the others wait here."
    )
    chat_session_expire: float = Field(
        default=86_400, gt=0, description="A message that waits so long for a session that is away fails as expired."
    )
    chat_session_ask_again: float = Field(
        default=300, gt=0, description="What a ready session has had in hand so long is handed to it once more."
    )
    chat_session_missing: float = Field(
        default=300, gt=0, description="A session whose queue has been missing so long is taken for gone."
    )
    chat_media_path: Path = Field(default=Path("media"), description="Where files are kept, when no URL is set.")
    chat_media_url: str | None = Field(default=None, description="An object store (`s3://bucket/prefix`, …) for files.")
    chat_feed_days: int = Field(default=30, ge=1, description="How long changes stay in the feed.")
    chat_notice_days: int = Field(default=30, ge=1, description="How long provider notices are kept.")
