"""A customer writes: from a few words to any type WhatsApp knows, as the webhook will show it."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

from ..accounts import Account
from ..errors import BadInput, NotFound
from ..graph.checks.media import MEDIA_TYPES
from ..identifiers import USER_ID, wa_id, wamid
from ..media import Library
from ..message import Message
from ..web.incoming import customer_writes
from ..web.line import Line
from ..whatsapp import WhatsApp
from .phone import Phone
from .phonebook import phone_key
from .samples import SAMPLES

TYPES = (
    "text", *MEDIA_TYPES, "location", "contacts", "reaction", "button", "interactive", "order", "system",
    "request_welcome", "unsupported",
)  # fmt: skip

_COMMON = frozenset({"type", "to", "context", "name", "from_user_id", "referral", "id", "group"})


def write(whatsapp: WhatsApp, number: str, data: dict[str, Any]) -> Message:
    """Let a customer write to a business; returns the message, which the webhook tells of at once.

    `data` holds `text: "..."`, or `type` and that type's object; `to` names the business number (phone_number_id or
    display number), `context: {id}` the message that is answered, `name` the profile name, `from_user_id` the
    business-scoped user id.
    """
    key = phone_key(number)
    if key is None:
        raise BadInput("The customer must be a phone number or a business-scoped user id.", {"number": number[:64]})
    account = _account(whatsapp, key, data.get("to"))
    type_ = type_of(data)
    body = body_of(type_, data.get(type_), account, whatsapp.media)
    context = _context(whatsapp, account, key, data.get("context"))
    phone = whatsapp.phones.touch(key)
    _introduce(phone, data)
    if isinstance(account, Line):
        return customer_writes(whatsapp.web, account, phone, type_, body, context, data.get("group"))
    if data.get("group") is not None:
        raise BadInput("Groups are on WhatsApp Web only.", {"group": "not on the Cloud API"})
    message = Message(
        wamid=wamid(phone.key),
        account=account,
        phone=phone,
        author="customer",
        type_=type_,
        body=body,
        at=time.time(),
        context=context,
        referral=data.get("referral"),
    )
    hits = whatsapp.faults.hits("webhook_delay", path="messages", phone_number_id=account.phone_number_id, to=phone.key)
    whatsapp.receive(message, sum(rule.seconds for rule in hits))
    return message


def _account(whatsapp: WhatsApp, key: str, to: Any) -> Account | Line:
    if to is not None:
        line = whatsapp.web.lines.get(wa_id(to) or "") if isinstance(to, str) else None
        if line is not None and whatsapp.accounts.find(to) is None:
            return line
        account = whatsapp.accounts.by_number(to) if isinstance(to, str) else None
        if account is None:
            raise NotFound(f"There is no business number {to}: see GET /_sim/accounts.", {"to": "unknown"})
        return account
    phone = whatsapp.phones.find(key)
    key_ = phone.last_account if phone is not None else None
    last = None if key_ is None else whatsapp.accounts.find(key_) or whatsapp.web.lines.get(key_)
    return last or whatsapp.accounts.default


def type_of(data: dict[str, Any]) -> str:
    """Return which type `data` is a message of; `BadInput` when it is none."""
    type_ = data.get("type")
    if type_ is None:
        named = [name for name in TYPES if name in data]
        if len(named) != 1:
            raise BadInput("Give text, or type and that type's object.", {"type": "missing"})
        type_ = named[0]
    if type_ not in TYPES:
        raise BadInput(f"A customer cannot send this type; known are {', '.join(TYPES)}.", {"type": "unknown"})
    for field in data:
        if field not in _COMMON and field != type_:
            raise BadInput(f"There is no field {field} in a {type_} message.", {field: "unknown field"})
    return str(type_)


def body_of(type_: str, given: Any, account: Account | Line, library: Library) -> Any:
    """Return the body of a message as the webhook shows it, with its media stored; `BadInput` when it is wrong."""
    if type_ == "text":
        text = given.get("body") if isinstance(given, dict) else given
        if not isinstance(text, str) or not 1 <= len(text) <= 65_536:
            raise BadInput("A text is 1 to 65536 characters.", {"text": "must be a string of 1 to 65536 characters"})
        return {"body": text}
    if type_ in MEDIA_TYPES:
        return _media(type_, {} if given is None else given, account, library)
    if type_ in ("unsupported", "request_welcome"):
        return given or {}
    if not isinstance(given, list if type_ == "contacts" else dict) or not given:
        shape = "a list of contacts" if type_ == "contacts" else "an object, as the webhook shows it"
        raise BadInput(f"{type_} must be {shape}.", {type_: "missing or of the wrong type"})
    return given


def _media(type_: str, given: Any, account: Account | Line, library: Library) -> dict[str, Any]:
    """Return the media object of a webhook: of an upload by `id`, of base64 `data`, or of a sample."""
    if not isinstance(given, dict):
        raise BadInput(f"{type_} must be an object.", {type_: "must be an object"})
    if (media_id := given.get("id")) is not None:
        upload = library.find(str(media_id))
        if upload is None:
            raise NotFound(f"There is no media {media_id}.", {f"{type_}.id": "unknown"})
    else:
        mime_type, data = SAMPLES[type_]
        if (encoded := given.get("data")) is not None:
            try:
                data = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError, TypeError):
                raise BadInput("data must be base64.", {f"{type_}.data": "not base64"}) from None
        upload = library.add(account.key, str(given.get("mime_type", mime_type)), given.get("filename"), data)
    shown: dict[str, Any] = {
        "mime_type": upload.mime_type,
        "sha256": base64.b64encode(bytes.fromhex(upload.sha256)).decode(),
        "id": upload.id,
    }
    if type_ in ("image", "video", "document") and given.get("caption"):
        shown = {"caption": str(given["caption"]), **shown}
    if type_ == "document":
        shown["filename"] = upload.filename or "document.pdf"
    elif type_ == "audio":
        shown["voice"] = bool(given.get("voice", True))
    elif type_ == "sticker":
        shown["animated"] = bool(given.get("animated", False))
    return shown


def _context(whatsapp: WhatsApp, account: Account | Line, key: str, given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BadInput('context must be an object, for example {"id": "wamid..."}.', {"context": "must be an object"})
    context = dict(given)
    message_id = context.pop("message_id", context.get("id"))
    if message_id is not None:
        phone = whatsapp.phones.find(key)
        answered = phone.find(message_id) if phone is not None else None
        author = key if answered is not None and answered.author == "customer" else account.display_phone_number
        context = {"from": author, "id": message_id} | context
    return context


def _introduce(phone: Phone, data: dict[str, Any]) -> None:
    name, user_id = data.get("name"), data.get("from_user_id")
    if name is not None:
        if not isinstance(name, str) or not 1 <= len(name) <= 256:
            raise BadInput("name is 1 to 256 characters.", {"name": "must be a string of 1 to 256 characters"})
        phone.name = name
    if user_id is not None:
        if not isinstance(user_id, str) or not USER_ID.match(user_id):
            raise BadInput(
                "from_user_id is a business-scoped user id.", {"from_user_id": "must look like US.1349120865"}
            )
        phone.user_id = user_id
