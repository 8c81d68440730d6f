"""Settings of webjs-bridge, beside those of every service."""

from pathlib import Path

from blazz_chassis.settings import ServiceSettings
from pydantic import Field

# In a checkout; the image names its own by BLAZZ_WEBJS_BRIDGE_WA_JS.
_WA_JS = Path(__file__).parents[2] / "js" / "node_modules" / "@wppconnect" / "wa-js" / "dist" / "wppconnect-wa.js"


class Settings(ServiceSettings):
    """Environment: `BLAZZ_WEBJS_BRIDGE_…`. Times are in seconds."""

    http_port: int = 8003
    webjs_bridge_web_url: str = Field(default="https://web.whatsapp.com/", description="WhatsApp Web.")
    webjs_bridge_wa_js: Path = Field(default=_WA_JS, description="The wa-js bundle, unmodified.")
    webjs_bridge_web_version: str | None = Field(
        default=None, description="Pins WhatsApp Web to a version whose page lies in the folder of versions."
    )
    webjs_bridge_web_versions: Path | None = Field(
        default=None, description="Where stored pages of WhatsApp Web lie, `{version}.html` each."
    )
    webjs_bridge_chromium: Path | None = Field(
        default=None, description="The browser; none: Playwright's own, else the system's."
    )
    webjs_bridge_profiles: Path = Field(
        default=Path("/var/lib/blazz/profiles"),
        description="Browser profiles, one a session. On storage that all instances share, or sessions cannot move.",
    )
    webjs_bridge_evidence: Path | None = Field(
        default=None, description="Where screenshots and console logs of failures are kept, message text masked."
    )
    webjs_bridge_trace: bool = Field(default=False, description="Keep a Playwright trace of failures, too.")

    webjs_bridge_capacity: int = Field(default=10, ge=0, description="Sessions that this instance runs, at most.")
    webjs_bridge_workspace_sessions: int = Field(
        default=20, ge=1, description="Sessions that one workspace may have, stopped ones included."
    )
    webjs_bridge_memory: int | None = Field(
        default=None, gt=0, description="Bytes that its browsers may hold together before it takes no more sessions."
    )
    webjs_bridge_session_memory: int = Field(
        default=1_500_000_000,
        gt=0,
        description="Bytes that one session's browser may hold; over it, it is opened anew when it is idle. "
        "WhatsApp Web holds 300 to 700 MB with many chats; predecessors grew to 18 GB.",
    )
    webjs_bridge_lease: float = Field(
        default=15, gt=0, description="How long a session belongs to an instance without a sign of life."
    )
    webjs_bridge_look: float = Field(
        default=0.5, gt=0, description="How often an instance looks for sessions to take and things asked of its own."
    )

    webjs_bridge_open_timeout: float = Field(default=60, gt=0, description="What opening WhatsApp Web may take.")
    webjs_bridge_frozen: float = Field(
        default=20, gt=0, description="A page that gives no sign of life for so long is opened anew."
    )
    webjs_bridge_restart_first: float = Field(default=0.5, gt=0, description="Pause before the first restart.")
    webjs_bridge_restart_cap: float = Field(default=60, gt=0, description="Longest pause between two restarts.")
    webjs_bridge_restarts: int = Field(
        default=6, ge=1, description="Restarts without having been ready after which an alarm is raised."
    )
    webjs_bridge_qr_lifetime: float = Field(
        default=300, gt=0, description="A code older than this is not shown, whatever the page says."
    )
    webjs_bridge_qr_patience: float = Field(
        default=900, gt=0, description="A session that nobody links for so long is stopped."
    )

    webjs_bridge_concurrency: int = Field(
        default=16, ge=1, le=100, description="Messages of one session on their way through the page, at most."
    )
    webjs_bridge_send_timeout: float = Field(default=30, gt=0, description="What the page may take for one send.")
    webjs_bridge_doubt_every: float = Field(
        default=2, gt=0, description="How often sends of unknown outcome are looked up in the page."
    )
    webjs_bridge_doubt_age: float = Field(
        default=86_400, gt=0, description="A send that cannot be repeated, and that the page does not know, fails then."
    )
    webjs_bridge_media_timeout: float = Field(
        default=120, gt=0, description="What fetching or storing a file may take."
    )
    webjs_bridge_history_margin: float = Field(
        default=120, ge=0, description="How far before the last message seen the history is read again after downtime."
    )
    webjs_bridge_journal_days: int = Field(default=30, ge=8, description="Days that the journal of sends is kept.")
    webjs_bridge_batch_wait: float = Field(default=0.01, ge=0, description="How long statuses wait for company.")
