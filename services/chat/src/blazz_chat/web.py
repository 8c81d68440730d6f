"""What a number that a WhatsApp Web session serves cannot send, and to whom."""

from typing import Protocol

from blazz_contracts.message import Failure

from blazz_chat import failures

PROVIDER = "webjs"
GROUP = "@g.us"
"""How the id of a group ends."""


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

    Templates live at Meta, and their text is not kept here; buttons, lists and flows are drawn for what the Cloud API
    sends alone.
    """
    if kind == "template":
        return failures.TEMPLATE_UNKNOWN
    return failures.TYPE_NOT_SUPPORTED if kind == "interactive" else None


def unreachable(somebody: Addressed) -> Failure | None:
    """Why WhatsApp Web cannot write to them; None when it can."""
    if somebody.lid is not None and somebody.lid.endswith(GROUP):
        return failures.GROUP_UNREACHABLE
    return failures.NO_ADDRESS if somebody.phone is None and somebody.lid is None else None
