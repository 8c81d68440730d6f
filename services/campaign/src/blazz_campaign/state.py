"""The states of recipients and campaigns, and what may follow what. Pure rules, no I/O."""

from collections import Counter
from collections.abc import Mapping

from blazz_contracts.events.campaign_progress import CampaignCounts

# In the order of `blazz_contracts.message.RANK`, with what comes before a message exists in front. A recipient only
# moves towards the end; so a cancelled one whose message was out already shows the truth when it comes.
RECIPIENT_STATES: tuple[str, ...] = (
    "queued",
    "cancelled",
    "requested",
    "unconfirmed",
    "sent",
    "failed",
    "delivered",
    "read",
    "played",
)
PLACE: dict[str, int] = {state: place for place, state in enumerate(RECIPIENT_STATES)}

FINAL = frozenset({"completed", "cancelled", "failed"})
RUNNING = frozenset({"freezing", "sending"})

# Refusals that would meet every recipient alike: going on would only burn the list.
STOPPERS: Mapping[str, str] = {
    "template_unavailable": "The template cannot be used any more. Put it right at WhatsApp, then resume the campaign.",
    "template_unknown_here": "No template of this name is known here. Take Meta's over, or write your own for WhatsApp "
    "Web, then resume the campaign.",
    "template_language_unknown": "The template is not known here in this language. Take Meta's over, or write your own "
    "for WhatsApp Web, then resume the campaign.",
    "channel_not_found": "The channel was deleted. Cancel this campaign and create it again on another channel.",
    "number_changed": "Another number was linked to the WhatsApp Web session. Resume the campaign if the rest shall go "
    "out from there.",
    "channel_stopped": "The channel is stopped. Start it again, then resume the campaign.",
}

Counts = Counter[str]
"""Recipients by state."""


def shown(counts: Mapping[str, int]) -> CampaignCounts:
    """The counts as people see them: who played a message has read it."""
    named = {state: counts.get(state, 0) for state in RECIPIENT_STATES}
    named["read"] += named.pop("played")
    return CampaignCounts(total=sum(named.values()), **named)


def is_over(state: str, counts: Mapping[str, int]) -> bool:
    """Whether nothing is left to hand over or to hear of first."""
    return state in {"sending", "paused"} and counts.get("queued", 0) == 0 and counts.get("requested", 0) == 0
