"""One message between a business and a customer, in either direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .template_text import rendered

if TYPE_CHECKING:
    from .accounts import Account
    from .phones.phone import Phone
    from .templates import Template
    from .web.line import Line

Author = Literal["business", "customer"]


class Message:
    """A message as the phone shows it; the ledger and the webhooks are made from it."""

    __slots__ = (
        "account", "at", "author", "body", "callback_data", "context", "edited", "error", "phone", "referral",
        "revoked", "status", "template", "type", "wamid",
    )  # fmt: skip

    def __init__(
        self,
        *,
        wamid: str,
        account: Account | Line,
        phone: Phone,
        author: Author,
        type_: str,
        body: Any,
        at: float,
        context: dict[str, Any] | None = None,
        callback_data: str | None = None,
        template: Template | None = None,
        referral: Any = None,
    ) -> None:
        self.wamid = wamid
        self.account = account
        """The business: a number of the Cloud API, or a phone that WhatsApp Web pages are linked to."""
        self.phone = phone
        self.author: Author = author
        self.type = type_
        self.body = body
        """The type's own object as it was sent, for example `{"body": "hello"}` for a text."""
        self.at = at
        """Unix time in seconds."""
        self.context = context
        self.callback_data = callback_data
        """`biz_opaque_callback_data`, given back in every status."""
        self.template = template
        """The template of a template message, as it was when it was sent."""
        self.referral = referral
        """The advertisement a customer came from, as the webhook shows it."""
        self.status = "accepted" if author == "business" else "received"
        self.error: int | None = None
        """Error code of a failed message."""
        self.edited: str | None = None
        """Its text now, when it was changed (WhatsApp Web alone can)."""
        self.revoked = False
        """Deleted for everyone."""

    @property
    def category(self) -> str:
        """What the pricing calls it: service, utility, marketing, authentication."""
        return "service" if self.template is None else self.template.category.lower()

    def view(self) -> dict[str, Any]:
        """Return the message as GET /_sim/phones/{number}/messages shows it."""
        shown: dict[str, Any] = {
            "id": self.wamid,
            "from": self.author,
            "phone_number_id": self.account.phone_number_id,
            "account": self.account.key,
            "via": self.account.via,
            "type": self.type,
            self.type: self.body,
            "status": self.status,
            "at": self.at,
        }
        if self.template is not None:
            shown["rendered"] = rendered(self.template, self.body)
        if self.context is not None:
            shown["context"] = self.context
        if self.callback_data is not None:
            shown["biz_opaque_callback_data"] = self.callback_data
        if self.error is not None:
            shown["error"] = self.error
        if self.edited is not None:
            shown["edited"] = self.edited
        if self.revoked:
            shown["revoked"] = True
        return shown
