"""A page sends a message: accepted once, or refused, slowed or left without an answer as the faults say."""

from __future__ import annotations

from typing import Any

from .addresses import is_group, is_hex, parse_key
from .ask import BAD_STANZA, UNKNOWN, Ask, Refused, Reply
from .delivery import accept, receivers, schedule
from .message import WebMessage


def send(ask: Ask) -> Reply:
    """Take a message with the id the page chose. One that is known already is dropped, and counted."""
    parsed = parse_key(ask.text("key"))
    if parsed is None or not parsed[0] or not is_hex(parsed[2]):
        raise Refused(BAD_STANZA)
    known = ask.line.messages.get(parsed[2])
    if known is not None:
        return _again(ask, known)
    remote = parsed[1]
    if not receivers(ask.line, remote) or not (is_group(remote) or ask.state.person(remote)):
        raise Refused(UNKNOWN)
    faults = ask.state.faults
    if (rule := faults.of_send(ask.device, "refuse")) is not None:
        raise Refused(rule.code)
    if (rule := faults.of_send(ask.device, "slow")) is not None:
        ask.state.later(rule.seconds or 0, _accept_late, ask)
        return None
    return _accept(ask)


def _again(ask: Ask, known: WebMessage) -> dict[str, Any]:
    if ask.frame.get("repeat"):
        ask.device.repeats += 1
    else:
        ask.device.duplicates += 1
    if known.ack == 0:
        _release(ask, known)
    return {"ack": max(1, known.ack), "t": int(known.at)}


def _accept_late(ask: Ask) -> None:
    reply = _accept(ask)
    if reply is not None:
        ask.answer_later(reply)


def _accept(ask: Ask) -> Reply:
    _, remote, hex_, participant = parse_key(ask.text("key")) or (True, "", "", None)
    if hex_ in ask.line.messages:  # it was slow, and the page has sent it again meanwhile
        return _again(ask, ask.line.messages[hex_])
    raw = ask.frame.get("raw")
    message = WebMessage(
        hex_=hex_, remote=remote, from_me=True, me=ask.line.me_in(remote), type_=ask.text("type"),
        raw=raw if isinstance(raw, dict) else {}, participant=participant, via="web",
    )  # fmt: skip
    ask.device.sends += 1
    accept(ask.state, ask.line, message, ask.device.id)
    if (rule := ask.state.faults.of_send(ask.device, "drop_ack")) is not None:
        message.ack = 0
        if rule.seconds is not None:
            ask.state.later(rule.seconds, _answer_dropped, ask, message)
        return None
    schedule(ask.state, ask.line, message)
    return {"ack": 1, "t": int(message.at)}


def _answer_dropped(ask: Ask, message: WebMessage) -> None:
    if message.ack == 0:
        _release(ask, message)
        ask.answer_later({"ack": 1, "t": int(message.at)})


def _release(ask: Ask, message: WebMessage) -> None:
    """The page is told at last that its message was accepted: now the ticks may follow."""
    message.ack = 1
    schedule(ask.state, ask.line, message)
