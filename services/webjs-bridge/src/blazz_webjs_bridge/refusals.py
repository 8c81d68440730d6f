"""Why a message did not leave: what chat is told in the errors of a `failed` status."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no. `passing`: the same message may be tried again later."""

    code: str
    title: str
    passing: bool = False

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a status."""
        return {"code": self.code, "title": self.title, "passing": self.passing}


class Refused(Exception):
    """The message cannot be sent, for good or for now; nothing of it has left."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.title)
        self.refusal = refusal


NOT_ON_WHATSAPP = Refusal("not_on_whatsapp", "This number is not on WhatsApp.")
NO_TARGET = Refusal("target_not_found", "The message to react to is not in this conversation, or was never sent.")
NOT_SUPPORTED = Refusal(
    "type_not_supported", "WhatsApp Web cannot send this type; send a text, or use a number on the Cloud API."
)
EXPIRED = Refusal("expired", "The message could not leave in time; send it again if it still matters.")
TOO_LARGE = Refusal("file_too_large", "The file is larger than WhatsApp takes of this type.")
NO_FILE = Refusal("media_not_found", "The file is not there any more; upload it again.")
WRONG_TYPE = Refusal(
    "media_type_mismatch",
    "The file is of another type than it is sent as; send it as a document, or say its right Content-Type.",
)
LINK_REFUSED = Refusal(
    "media_address_refused",
    "The link leads to an address that is not public, or names a user; use a public one without.",
)
LINK_NOT_FOUND = Refusal("media_host_not_found", "The host of the link cannot be found; check how it is written.")
GIVEN_UP = Refusal(
    "not_sent", "The message could not be handed to WhatsApp for long; send it again if it still matters."
)
NOT_TAKEN = Refusal("refused", "WhatsApp did not take the message; send it again.", passing=True)
LINK_FAILED = Refusal("media_unreachable", "The link gave no file; check that it can be opened from everywhere.", True)
# DNS is out, which says nothing of the link: it is tried again as a host that does not answer is.
LINK_NOT_RESOLVED = Refusal("media_unreachable", "The host of the link could not be looked up; try again later.", True)


def number_changed(waited_for: str, linked: str, *, in_doubt: bool) -> Refusal:
    """Another number is linked than the one it was accepted for (digits). `in_doubt`: it may have left from that."""
    if in_doubt:
        return Refusal(
            "number_changed",
            f"It was on its way out from +{waited_for} when another phone, +{linked}, was linked, and may have left: "
            f"look at +{waited_for} before sending it again.",
        )
    return Refusal(
        "number_changed",
        f"It was waiting for +{waited_for}, but the session is now linked to +{linked}: send it again if it shall go "
        "out from there.",
    )


def by_page(reason: str, detail: str) -> Refusal:
    """What wa-js refused, in words for people."""
    if reason in ("chat_not_found", "contact_not_found", "invalid_wid", "not_on_whatsapp"):
        return NOT_ON_WHATSAPP
    if reason in ("file_too_large", "media_too_large"):
        return TOO_LARGE
    return Refusal("refused", f"WhatsApp Web refused the message ({reason}: {detail})."[:900])
