"""What a number that a WhatsApp Web session serves cannot send, and to whom."""

from typing import Any, Protocol

from blazz_contracts.message import Failure

from blazz_chat import failures

PROVIDER = "webjs"
GROUP = "@g.us"
"""How the id of a group ends."""
RENDERED = "rendered"
"""Where in the content of a template message stands what WhatsApp Web sends in its place."""


class Addressed(Protocol):
    """Somebody with addresses."""

    @property
    def phone(self) -> str | None:
        """Digits."""

    @property
    def lid(self) -> str | None:
        """WhatsApp Web's hidden id, digits; of a group its whole id."""


def unsendable(kind: str) -> Failure | None:
    """Why content of this type cannot leave through WhatsApp Web; None when it can.

    Buttons, lists and flows are drawn for what the Cloud API sends alone. Templates leave as what they say
    (`templates`).
    """
    return failures.TYPE_NOT_SUPPORTED if kind == "interactive" else None


def leaving(content: dict[str, Any]) -> dict[str, Any]:
    """The content that leaves: of a template what was written of it when it was accepted, else the content itself."""
    return content.get(RENDERED) or content


def unreachable(somebody: Addressed) -> Failure | None:
    """Why WhatsApp Web cannot write to them; None when it can."""
    if somebody.lid is not None and somebody.lid.endswith(GROUP):
        return failures.GROUP_UNREACHABLE
    return failures.NO_ADDRESS if somebody.phone is None and somebody.lid is None else None
