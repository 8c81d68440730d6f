"""Why WhatsApp refused, and what we do about it.

The codes and the advice are Meta's (Cloud API, "Error codes"); the grouping is ours.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from blazz_contracts.message import Failure

MAX_CODE, MAX_TITLE = 64, 1000


class Remedy(StrEnum):
    """What to do after a refusal."""

    RETRY = "retry"
    """Try again after 30, 60, 120 s."""
    PAIR = "pair"
    """Too many to this person: wait 4ⁿ s, for them only."""
    TOMORROW = "tomorrow"
    """Meta chose not to deliver a marketing message: not before 24 hours have passed."""
    STOP_CHANNEL = "stop_channel"
    """Nothing can leave this number until an operator acts. The message keeps waiting."""
    STOP_TEMPLATE = "stop_template"
    """The template cannot be used: the message fails, and so does what uses it next."""
    OPT_OUT = "opt_out"
    """The customer stopped marketing messages: the message fails, and the contact remembers."""
    FAIL = "fail"
    """This recipient fails."""


_RETRY = {1, 2, 4, 80007, 130429, 131000, 131016, 131057, 133004}
_STOP_CHANNEL = {0, 10, 190, *range(200, 300), 368, 131031, 131042, 131045, 131048, 131063, 131064, 133010}
_STOP_TEMPLATE = {132001, 132007, 132015, 132016}
_PAIR, _TOMORROW, _OPT_OUT = 131056, 131049, 131050

# What people should do about the refusals they meet most; the rest show Meta's own words.
_ADVICE = {
    131026: "WhatsApp cannot deliver to this number: it may not be on WhatsApp, or has not accepted its latest terms.",
    131047: "More than 24 hours have passed since the customer last wrote: send a template instead.",
    131050: "The customer has stopped marketing messages from you.",
    131053: "WhatsApp could not take the file: check its type and size.",
    132000: "The number of parameters does not match the template.",
    132001: "WhatsApp knows no approved template of this name in this language.",
    190: "The channel's access token has expired or was revoked: enter a new one and start the channel again.",
}
_CODES = {131047: "window_closed", 131050: "opted_out", 131026: "undeliverable", 131053: "media_refused"}
# The same for what a WhatsApp Web session says.
_WEB_ADVICE = {
    "not_on_whatsapp": "This number is not on WhatsApp.",
    "expired": "It waited for the WhatsApp Web session for too long: send it again.",
    "file_too_large": "WhatsApp Web does not take a file of this size: send a smaller one, or a link.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no: nothing was sent."""

    remedy: Remedy
    failure: Failure


def refusal(code: int, title: str, details: str | None = None) -> Refusal:
    """Class a Meta error. `title` and `details` are Meta's words."""
    remedy = remedy_of(code)
    name = "template_unavailable" if remedy is Remedy.STOP_TEMPLATE else _CODES.get(code, f"provider_{code}")
    words = _ADVICE.get(code) or ". ".join(part for part in (title, details) if part) or f"WhatsApp answered {code}"
    return Refusal(remedy, Failure(code=name, title=words[:MAX_TITLE], provider_code=code))


def remedy_of(code: int) -> Remedy:
    """What to do about Meta's error code; an unknown one fails the recipient."""
    if code in _RETRY:
        return Remedy.RETRY
    if code in _STOP_CHANNEL:
        return Remedy.STOP_CHANNEL
    if code in _STOP_TEMPLATE:
        return Remedy.STOP_TEMPLATE
    return {_PAIR: Remedy.PAIR, _TOMORROW: Remedy.TOMORROW, _OPT_OUT: Remedy.OPT_OUT}.get(code, Remedy.FAIL)


def from_errors(errors: list[dict[str, Any]]) -> Refusal:
    """Class the first of the error objects that a status carries: Meta's have numbers, a WhatsApp Web session's words.

    A session knows best whether what went wrong passes: it says so.
    """
    first = errors[0] if errors else {}
    code = first.get("code")
    if isinstance(code, str) and code:
        words = _WEB_ADVICE.get(code) or str(first.get("title") or "") or f"WhatsApp Web refused it: {code}"
        remedy = Remedy.RETRY if first.get("passing") is True else Remedy.FAIL
        return Refusal(remedy, Failure(code=code[:MAX_CODE], title=words[:MAX_TITLE]))
    data = first.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    if not isinstance(code, int):
        return Refusal(Remedy.FAIL, Failure(code="provider_unknown", title="WhatsApp did not say why."))
    return refusal(code, str(first.get("title") or first.get("message") or ""), details)


WINDOW_CLOSED = Failure(code="window_closed", title=_ADVICE[131047], provider_code=None)
OPTED_OUT = Failure(code="opted_out", title=_ADVICE[131050], provider_code=None)
NO_CONTACT = Failure(code="contact_not_found", title="This contact is not in the workspace.")
NO_CHANNEL = Failure(
    code="channel_not_found", title="The workspace has no such channel: connect a WhatsApp number, or name another."
)
EXPIRED = Failure(
    code="expired", title="It waited for the WhatsApp Web session for too long: send it again if it still matters."
)
CHANNEL_GONE = Failure(
    code="channel_deleted", title="The channel was disconnected before this was sent: send it from another."
)
TOKEN_UNUSABLE = Failure(
    code="access_token_unusable",
    title="The channel's access token has characters that cannot be sent: enter it again and start the channel again.",
)
NO_MEDIA = Failure(
    code="media_not_found", title="This upload is not in the workspace, or was deleted: upload it again."
)
NO_ADDRESS = Failure(
    code="no_address", title="WhatsApp Web needs a phone number to write to, and none is known of this contact."
)
GROUP_UNREACHABLE = Failure(code="type_not_supported", title="Messages into a group cannot be sent from here.")
SESSION_GONE = Failure(
    code="session_gone", title="The channel's WhatsApp Web session is gone: connect the number anew, then send again."
)
TEMPLATE_UNKNOWN = Failure(
    code="template_unknown_here",
    title="No template of this name is known here: take Meta's over (POST /api/v1/templates/sync), or write your own "
    "for WhatsApp Web (PUT /api/v1/templates/{name}/{language}).",
)


def number_changed(waited_for: str, linked: str) -> Failure:
    """It waited for one number, and another is linked to the session now. Numbers with `+`."""
    return Failure(
        code="number_changed",
        title=f"It was waiting for {waited_for}, but the session is now linked to {linked}: send it again if it shall "
        "go out from there.",
    )


UNSENDABLE = Failure(code="invalid", title="This message has no content that can be sent.")
TYPE_NOT_SUPPORTED = Failure(
    code="type_not_supported",
    title="WhatsApp Web sends no buttons, lists or flows: send a text, or send this from a number on Meta's Cloud API.",
)
