"""A business's message on its way to the customers: their phones, the ledger, the ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..message import Message
from .addresses import address_of, is_group, parse_key, person_of
from .body import cloud_body, cloud_type
from .line import Line
from .message import ACKS, WebMessage

if TYPE_CHECKING:
    from .state import Web


def receivers(line: Line, remote: str) -> list[str]:
    """Return the numbers a message to this address reaches."""
    if is_group(remote):
        group = line.groups.get(remote)
        return [] if group is None else [m for m in group.members if m != line.display_phone_number]
    person = person_of(remote)
    return [] if person is None else [person]


def accept(state: Web, line: Line, message: WebMessage, origin: str | None) -> None:
    """Take a business's message: into the history, the ledger, the customers' phones, and its other devices."""
    line.add(message)
    type_, body = cloud_type(message.type), cloud_body(message.type, message.raw)
    context = _context(line, message)
    put(state, line, message, type_, body, context)
    line.tell({"e": "msg", "msg": message.view()}, origin)


def put(
    state: Web, line: Line, message: WebMessage, type_: str, body: Any, context: dict[str, Any] | None = None,
    shown: bool = True,
) -> None:  # fmt: skip
    """Put what a business did into the ledger, and onto the customers' phones as a message when it is one."""
    whatsapp = state.whatsapp
    for number in receivers(line, message.remote):
        copy = Message(
            wamid=message.key, account=line, phone=whatsapp.phones.touch(number), author="business", type_=type_,
            body=body, at=message.at, context=context,
        )  # fmt: skip
        message.copies.append(copy)
        if shown:
            whatsapp.phones.add(copy)
        if shown and number in state.lines and number != line.display_phone_number:
            _arrive(state.lines[number], line, message)
    if message.copies:
        extra = {"via": message.via, "id": message.id, "from": line.display_phone_number}
        if is_group(message.remote):
            extra["to"] = message.remote
        whatsapp.ledger.append(message.copies[0], extra)


def _arrive(other: Line, line: Line, message: WebMessage) -> None:
    """Let a message to a number that is linked itself arrive on its pages."""
    if message.type == "protocol":
        return
    sender = line.display_phone_number
    group = is_group(message.remote)
    arrived = WebMessage(
        hex_=message.id, remote=message.remote if group else address_of(sender, message.remote.endswith("@lid")),
        from_me=False, me=other.me_in(message.remote), type_=message.type, raw=dict(message.raw), sender=sender,
        participant=address_of(sender, True) if group else None, notify_name=line.verified_name,
    )  # fmt: skip
    other.add(arrived).unread += 1
    other.tell({"e": "msg", "msg": arrived.view()})


def _context(line: Line, message: WebMessage) -> dict[str, Any] | None:
    stanza = message.raw.get("quotedStanzaID")
    if not stanza:
        return None
    quoted = line.messages.get(str(stanza))
    author = line.display_phone_number if quoted is None or quoted.sender is None else quoted.sender
    return {"from": author, "id": str(stanza) if quoted is None else quoted.key}


def schedule(state: Web, line: Line, message: WebMessage) -> None:
    """Let the ticks of an accepted message follow, as the simulator's statuses are set."""
    statuses = state.whatsapp.outbox.statuses
    for status, after in statuses.plan(state.whatsapp.rng):
        state.later(after, advance, line, message, status, state)


def advance(line: Line, message: WebMessage, status: str, state: Web) -> None:
    """Give a message a tick, and tell it; one that came already, or comes late, is told all the same."""
    message.ack = max(message.ack, ACKS[status])
    for copy in message.copies:
        state.whatsapp.phones.set_status(copy, status)
    event: dict[str, Any] = {
        "e": "ack", "ids": [message.id], "keys": [message.key], "remote": message.remote, "ack": ACKS[status],
    }  # fmt: skip
    if is_group(message.remote) and (reached := receivers(line, message.remote)):
        event["participant"] = address_of(reached[0], True)
    line.tell(event)


def read_by(state: Web, line: Line, copy: Message) -> None:
    """Let a customer who opened the chat read a message of it."""
    parsed = parse_key(copy.wamid)
    message = None if parsed is None else line.messages.get(parsed[2])
    if message is not None and message.ack < ACKS["read"]:
        advance(line, message, "read", state)
