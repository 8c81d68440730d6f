"""What other services answer: one table of routes, each with the right it takes."""

from dataclasses import dataclass
from typing import Any, Literal

from blazz_contracts.views.campaign import CampaignView, CreateCampaign, RecipientView
from blazz_contracts.views.change import Changes
from blazz_contracts.views.channel import ChannelView, CreateChannel, UpdateChannel
from blazz_contracts.views.contact import ContactView, CreateContact
from blazz_contracts.views.media import MediaView
from blazz_contracts.views.message import MessageView
from blazz_contracts.views.page import Page
from blazz_contracts.views.session import CreateSession, PairSession, SessionView, UpdateSession
from blazz_contracts.views.template import PutTemplate, SyncedTemplates, SyncTemplates, TemplateView
from pydantic import BaseModel

from blazz_gateway.role import Permission

P = Permission


@dataclass(frozen=True, slots=True)
class Passage:
    """A route of another service that is offered under `/api/v1`. `{…_id}` in its path are UUIDs, others words."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    service: Literal["chat", "campaign", "webjs-bridge"]
    permission: Permission
    summary: str
    answer: Any = None
    """The model of its answer."""
    body: type[BaseModel] | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    """Names of its query parameters, for the OpenAPI document."""
    file: bool = False
    """Its body or answer is a file: streamed."""
    private: str | None = None
    """A field of its answer, or of each item of it, that is null but for who has `private_permission`."""
    private_permission: Permission | None = None
    keyed: bool = False
    """What is asked for again under its Idempotency-Key is done once: the key goes on with it."""
    checked: bool = False
    """Its body must be the model's here already: inside, the same address takes more."""


PAGE = ("cursor", "limit")
BRIDGE: Literal["webjs-bridge"] = "webjs-bridge"
PASSAGES: tuple[Passage, ...] = (
    Passage("GET", "/contacts", "chat", P.CONTACTS_READ, "Find contacts.", Page[ContactView], query=("search", *PAGE)),
    Passage(
        "POST",
        "/contacts",
        "chat",
        P.CONTACTS_WRITE,
        "Add a contact; one that exists is given back (200).",
        ContactView,
        CreateContact,
        201,
    ),
    Passage("GET", "/contacts/{contact_id}", "chat", P.CONTACTS_READ, "One contact.", ContactView),
    Passage(
        "GET",
        "/contacts/{contact_id}/messages",
        "chat",
        P.MESSAGES_READ,
        "What was said with a contact, newest first.",
        Page[MessageView],
        query=PAGE,
    ),
    Passage(
        "GET",
        "/changes",
        "chat",
        P.MESSAGES_READ,
        "Every change of the workspace once, in commit order.",
        Changes,
        query=("after", "limit"),
    ),
    Passage("GET", "/channels", "chat", P.CHANNELS_READ, "The workspace's numbers.", Page[ChannelView], query=PAGE),
    Passage(
        "POST",
        "/channels",
        "chat",
        P.CHANNELS_WRITE,
        "Connect a number on Meta's Cloud API.",
        ChannelView,
        CreateChannel,
        201,
        checked=True,
    ),
    Passage("GET", "/channels/{channel_id}", "chat", P.CHANNELS_READ, "One number.", ChannelView),
    Passage(
        "PATCH", "/channels/{channel_id}", "chat", P.CHANNELS_WRITE, "Change a number.", ChannelView, UpdateChannel
    ),
    Passage("DELETE", "/channels/{channel_id}", "chat", P.CHANNELS_WRITE, "Disconnect a number.", status=204),
    Passage(
        "GET",
        "/templates",
        "chat",
        P.CHANNELS_READ,
        "Message templates: Meta's, as taken over, and your own for WhatsApp Web.",
        Page[TemplateView],
        query=("name", *PAGE),
    ),
    Passage(
        "POST",
        "/templates/sync",
        "chat",
        P.CHANNELS_WRITE,
        "Take over the templates of a number's business account at Meta.",
        SyncedTemplates,
        SyncTemplates,
    ),
    Passage(
        "GET",
        "/templates/{name}/{language}",
        "chat",
        P.CHANNELS_READ,
        "One template: the one that WhatsApp Web sends.",
        TemplateView,
    ),
    Passage(
        "PUT",
        "/templates/{name}/{language}",
        "chat",
        P.CHANNELS_WRITE,
        "Write a template of your own for WhatsApp Web; a new one is 201.",
        TemplateView,
        PutTemplate,
    ),
    Passage("DELETE", "/templates/{name}/{language}", "chat", P.CHANNELS_WRITE, "Delete one of your own.", status=204),
    Passage(
        "GET",
        "/unrecognized",
        "chat",
        P.AUDIT_READ,
        "What WhatsApp told that is no message and no status, newest first.",
        Page[dict[str, Any]],
        query=PAGE,
    ),
    Passage("POST", "/media", "chat", P.MEDIA_WRITE, "Upload a file to send.", MediaView, status=201, file=True),
    Passage("GET", "/media/{media_id}", "chat", P.MEDIA_READ, "What a file is.", MediaView),
    Passage("GET", "/media/{media_id}/content", "chat", P.MEDIA_READ, "The file itself.", file=True),
    Passage(
        "GET",
        "/sessions",
        BRIDGE,
        P.CHANNELS_READ,
        "WhatsApp Web sessions.",
        Page[SessionView],
        query=PAGE,
        private="pairing_code",
        private_permission=P.CHANNELS_WRITE,
    ),
    Passage(
        "POST",
        "/sessions",
        BRIDGE,
        P.CHANNELS_WRITE,
        "Connect a number through WhatsApp Web.",
        SessionView,
        CreateSession,
        201,
        keyed=True,
    ),
    Passage(
        "GET",
        "/sessions/{session_id}",
        BRIDGE,
        P.CHANNELS_READ,
        "One session.",
        SessionView,
        private="pairing_code",
        private_permission=P.CHANNELS_WRITE,
    ),
    Passage(
        "PATCH", "/sessions/{session_id}", BRIDGE, P.CHANNELS_WRITE, "Change a session.", SessionView, UpdateSession
    ),
    Passage(
        "DELETE",
        "/sessions/{session_id}",
        BRIDGE,
        P.CHANNELS_WRITE,
        "End a session for good, with its channel.",
        SessionView,
        status=202,
    ),
    Passage(
        "POST",
        "/sessions/{session_id}/pair",
        BRIDGE,
        P.CHANNELS_WRITE,
        "Ask for a code to type into the phone.",
        SessionView,
        PairSession,
        202,
    ),
    *(
        Passage(
            "POST", f"/sessions/{{session_id}}/{verb}", BRIDGE, P.CHANNELS_WRITE, summary, SessionView, status=status
        )
        for verb, summary, status in (
            ("start", "Run it.", 200),
            ("stop", "Run it no more; it stays linked, and messages wait.", 200),
            ("restart", "Close its browser and open it again.", 202),
            ("logout", "Unlink it from the phone.", 202),
        )
    ),
    Passage("GET", "/campaigns", "campaign", P.CAMPAIGNS_READ, "Campaigns.", Page[CampaignView], query=PAGE),
    Passage(
        "POST",
        "/campaigns",
        "campaign",
        P.CAMPAIGNS_WRITE,
        "Send to many.",
        CampaignView,
        CreateCampaign,
        202,
        file=True,
        keyed=True,
    ),
    Passage("GET", "/campaigns/{campaign_id}", "campaign", P.CAMPAIGNS_READ, "One campaign.", CampaignView),
    *(
        Passage(
            "POST",
            f"/campaigns/{{campaign_id}}/{verb}",
            "campaign",
            P.CAMPAIGNS_WRITE,
            f"{verb.capitalize()} it.",
            CampaignView,
        )
        for verb in ("start", "pause", "resume", "cancel")
    ),
    Passage(
        "GET",
        "/campaigns/{campaign_id}/recipients",
        "campaign",
        P.CAMPAIGNS_READ,
        "Its recipients.",
        Page[RecipientView],
        query=("state", *PAGE),
    ),
)
