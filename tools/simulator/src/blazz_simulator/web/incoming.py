"""A customer writes to a linked phone, or its owner writes on it: what its pages get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadInput, NotFound
from ..message import Message
from ..phones.phone import Phone
from .addresses import address_of, is_group, new_hex
from .body import cloud_type, web_fields
from .changes import edit, react, revoke
from .delivery import accept, receivers, schedule
from .line import Line
from .message import WebMessage

if TYPE_CHECKING:
    from .state import Web

NOT_ON_WEB = frozenset({"button", "interactive", "order", "system", "request_welcome"})
"""What a customer sends only in answer to the Cloud API's messages."""


def _quoted(line: Line, context: dict[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a reply."""
    message_id = None if context is None else context.get("id", context.get("message_id"))
    message = None if message_id is None else find(line, str(message_id))
    if message is None:
        return {}
    author = (
        line.me_in(message.remote)
        if message.sender is None
        else address_of(message.sender, not message.remote.endswith("@c.us"))
    )
    body = {**message.raw, "type": message.type}
    return {"quotedStanzaID": message.id, "quotedParticipant": author, "quotedMsg": body}


def find(line: Line, message_id: str) -> WebMessage | None:
    """Return a message by its whole key, or the free part of it."""
    parts = message_id.split("_")
    return line.messages.get(parts[2] if len(parts) > 2 else message_id)


def remote_of(state: Web, line: Line, number: str, group: Any) -> tuple[str, str | None]:
    """Return the chat a customer writes in, and the customer's address there when it is a group."""
    if group is None:
        return address_of(number, state.settings.lid), None
    known = line.groups.get(str(group))
    if known is None or number not in known.members:
        raise NotFound(f"{number} is in no group {group} of this phone.", {"group": "unknown"})
    return known.address, address_of(number, True)


def customer_writes(
    state: Web, line: Line, phone: Phone, type_: str, body: Any, context: dict[str, Any] | None, group: Any = None
) -> Message:
    """Take a customer's message to a linked phone, and tell its pages."""
    if type_ in NOT_ON_WEB:
        raise BadInput(f"A {type_} message answers the Cloud API; WhatsApp Web gets none.", {"type": "not on the web"})
    if phone.wa_id is None:
        raise BadInput("Who writes to WhatsApp Web needs a phone number.", {"number": "must be a phone number"})
    remote, participant = remote_of(state, line, phone.wa_id, group)
    if type_ == "reaction":
        return _customer_reacts(state, line, phone, body, remote, participant)
    raw_type, raw = web_fields(type_, body, state.whatsapp.media)
    message = WebMessage(
        hex_=new_hex(), remote=remote, from_me=False, me=line.me_in(remote), type_=raw_type,
        raw=raw | _quoted(line, context), sender=phone.wa_id, participant=participant, notify_name=phone.name,
    )  # fmt: skip
    copy = Message(
        wamid=message.key, account=line, phone=phone, author="customer", type_=type_, body=body, at=message.at,
        context=context,
    )  # fmt: skip
    message.copies.append(copy)
    line.add(message).unread += 1
    state.whatsapp.phones.add(copy)
    share = state.settings.ciphertext
    encrypted = {"encrypted": True} if share and state.whatsapp.rng.random() < share else {}
    line.tell({"e": "msg", "msg": message.view() | encrypted})
    return copy


def _customer_reacts(
    state: Web, line: Line, phone: Phone, body: dict[str, Any], remote: str, participant: str | None
) -> Message:
    target = find(line, str(body.get("message_id")))
    if target is None:
        raise NotFound("There is no such message to react to.", {"reaction.message_id": "unknown"})
    doing = WebMessage(hex_=new_hex(), remote=remote, from_me=False, me=target.me, type_="reaction", raw={},
                       sender=phone.wa_id, participant=participant)  # fmt: skip
    react(state, line, target, str(body.get("emoji") or ""), doing.key, phone.wa_id, None)
    copy = Message(wamid=doing.key, account=line, phone=phone, author="customer", type_="reaction", body=body,
                   at=doing.at)  # fmt: skip
    state.whatsapp.phones.add(copy)
    return copy


def owner_writes(
    state: Web, line: Line, remote: str, type_: str, body: Any, context: dict[str, Any] | None
) -> WebMessage:
    """Let the phone's owner write on the phone itself: its pages see it as sent from another device."""
    if not receivers(line, remote):
        raise NotFound(f"Nobody can be written to at {remote}.", {"to": "unknown"})
    group = is_group(remote)
    participant = line.lid if group else None
    if type_ == "reaction":
        target = find(line, str(body.get("message_id")))
        if target is None:
            raise NotFound("There is no such message to react to.", {"reaction.message_id": "unknown"})
        doing = WebMessage(hex_=new_hex(), remote=remote, from_me=True, me=line.me_in(remote), type_="reaction",
                           raw={}, participant=participant, via="phone")  # fmt: skip
        react(state, line, target, str(body.get("emoji") or ""), doing.key, None, None, "phone")
        return doing
    raw_type, raw = web_fields(type_, body, state.whatsapp.media)
    message = WebMessage(
        hex_=new_hex(), remote=remote, from_me=True, me=line.me_in(remote), type_=raw_type,
        raw=raw | _quoted(line, context), participant=participant, via="phone",
    )  # fmt: skip
    accept(state, line, message, None)
    schedule(state, line, message)
    return message


def change_text(state: Web, line: Line, message: WebMessage, text: Any, by_business: bool) -> None:
    """Edit a message, on the customer's phone or on the business's."""
    if not isinstance(text, str) or not 1 <= len(text) <= 65_536:
        raise BadInput("A text is 1 to 65536 characters.", {"text": "must be a string of 1 to 65536 characters"})
    _own(message, by_business)
    if cloud_type(message.type) not in ("text", "image", "video", "document"):
        raise BadInput("Only texts and captions can be edited.", {"id": "cannot be edited"})
    participant = message.participant
    key = WebMessage(hex_=new_hex(), remote=message.remote, from_me=by_business, me=message.me, type_="protocol",
                     raw={}, participant=participant).key  # fmt: skip
    edit(state, line, message, text, key, None, "phone" if by_business else None)


def take_back(state: Web, line: Line, message: WebMessage, by_business: bool) -> None:
    """Delete a message for everyone, on the customer's phone or on the business's."""
    _own(message, by_business)
    revoke(state, line, message, None, "phone" if by_business else None)


def _own(message: WebMessage, by_business: bool) -> None:
    if message.from_me is not by_business:
        raise BadInput("Only who wrote a message can change it.", {"id": "somebody else's"})
    if message.type == "revoked":
        raise BadInput("The message is deleted already.", {"id": "deleted"})


def garbage(state: Web, line: Line, count: int) -> None:
    """Send the pages messages with missing and odd fields, as WhatsApp's servers sometimes do."""
    someone = address_of("4915100000000", state.settings.lid)
    odd: list[dict[str, Any]] = [
        {"type": "chat", "body": None},
        {"type": "a_type_of_next_year", "body": {"deep": ["odd"]}},
        {"type": "image"},
        {"type": "chat", "body": "no time", "t": None},
        {"type": "chat", "body": "nobody sent it", "from": None, "to": None},
        {"type": "vcard", "body": 17},
        {"type": "location", "lat": "north", "lng": None},
        {"type": "ciphertext"},
        {"type": None, "body": "\x00\ud7ff\U0010ffff"},
    ]
    for index in range(count):
        base = WebMessage(hex_=new_hex(), remote=someone, from_me=False, me=line.me_in(someone), type_="chat", raw={},
                          sender="4915100000000", notify_name="").view()  # fmt: skip
        line.tell({"e": "msg", "msg": base | odd[index % len(odd)]})
