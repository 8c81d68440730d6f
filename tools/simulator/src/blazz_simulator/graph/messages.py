"""POST /{phone_number_id}/messages: a business sends, or marks a customer's message as read."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web

from ..accounts import Account
from ..identifiers import USER_ID, wa_id
from ..keys import WHATSAPP
from ..media_links import fetch_then_announce, links_of
from ..message import Message
from ..templates import Template
from ..whatsapp import WhatsApp
from .checks.interactive import interactive
from .checks.media import MEDIA_TYPES, media
from .checks.shape import a_string, an_object, known_keys
from .checks.simple import contacts, location, reaction, text
from .checks.template import template
from .endpoint import answer, disturb, drop, fields, phone_number
from .errors import GraphError, bad_value, invalid, missing

TYPES = (*MEDIA_TYPES, "contacts", "interactive", "location", "reaction", "template", "text")

CALLBACK_DATA_MAX = 512
"""Characters of `biz_opaque_callback_data` (Meta's limit)."""

_CONTEXT = frozenset({"message_id"})


async def post_messages(request: web.Request) -> web.StreamResponse:
    """Send a message of any type, or mark one as read."""
    account = phone_number(request)
    data = await fields(request)
    if data.get("messaging_product") != "whatsapp":
        if "messaging_product" not in data:
            raise GraphError(100, message="(#100) The parameter messaging_product is required.")
        raise invalid("Param messaging_product must be one of {WHATSAPP}")
    if "status" in data:
        return _mark_read(request.app[WHATSAPP], account, data)
    return await _send(request, account, data)


async def _send(request: web.Request, account: Account, data: dict[str, Any]) -> web.Response:
    whatsapp = request.app[WHATSAPP]
    given, key = _recipient(data)
    type_ = data.get("type", "text")
    body = data.get(type_) if isinstance(type_, str) else None
    template_sent = _check(type_, body, whatsapp, account)
    context, callback_data = _context(data), _callback_data(data)
    if key == account.display_phone_number:
        raise GraphError(131021)
    if whatsapp.outbox.is_full(account):
        raise GraphError(
            131016, "The webhook receiver of this number is too far behind; nothing more is taken for now."
        )
    if whatsapp.faults and (cut := await disturb(whatsapp, request, "messages", account.phone_number_id, key)):
        return cut
    whatsapp.rules.check(account.phone_number_id, key, type_ == "template")
    message = whatsapp.new_message(
        account,
        whatsapp.phones.touch(key),
        type_,
        body,
        context=context,
        callback_data=callback_data,
        template=template_sent,
    )
    if whatsapp.faults:
        return await _send_with_faults(request, whatsapp, message, given)
    whatsapp.accept(message)
    _announce(whatsapp, message)
    return _accepted(message, given)


async def _send_with_faults(request: web.Request, whatsapp: WhatsApp, message: Message, given: str) -> web.Response:
    """Accept a message while faults are set that come with or after acceptance."""
    faults, where = whatsapp.faults, message.account.phone_number_id
    to = message.phone.key
    delay = sum(rule.seconds for rule in faults.hits("webhook_delay", path="messages", phone_number_id=where, to=to))
    failed = next(faults.hits("error_in_status", "error_in_both", path="messages", phone_number_id=where, to=to), None)
    if failed is not None and failed.where == "both":
        code = faults.code_of(failed)
        whatsapp.outbox.fail(message, code, delay)
        raise GraphError(code, http=failed.http)
    whatsapp.accept(message)
    if failed is not None:
        whatsapp.outbox.fail(message, faults.code_of(failed), delay)
    else:
        _announce(whatsapp, message, delay)
    for rule in faults.hits("slow_after_accept", "drop_after_accept", path="messages", phone_number_id=where, to=to):
        if rule.kind == "drop_after_accept":
            return drop(request)
        await asyncio.sleep(rule.seconds)
    return _accepted(message, given)


def _announce(whatsapp: WhatsApp, message: Message, delay: float = 0) -> None:
    if whatsapp.rules.settings.fetch_links and (links := links_of(message)):
        fetch_then_announce(whatsapp, message, links, delay)
    else:
        whatsapp.outbox.announce(message, delay)


def _accepted(message: Message, given: str) -> web.Response:
    phone = message.phone
    contact: dict[str, Any] = {"input": given}
    if given == phone.user_id:
        contact["user_id"] = phone.user_id
    else:
        contact["wa_id"] = phone.wa_id
    return web.Response(
        body=orjson.dumps(
            {
                "messaging_product": "whatsapp",
                "contacts": [contact],
                "messages": [{"id": message.wamid, "message_status": "accepted"}],
            }
        ),
        content_type="application/json",
    )


def _recipient(data: dict[str, Any]) -> tuple[str, str]:
    """Return the recipient as given, and the key of the phone: digits, or a business-scoped user id."""
    if data.get("recipient_type", "individual") != "individual":
        raise invalid("Param recipient_type must be one of {INDIVIDUAL}")
    to = data.get("to")
    if to is not None:
        if isinstance(to, int) and not isinstance(to, bool):
            to = str(to)
        if not isinstance(to, str):
            raise invalid("Param to must be a string.")
        digits = wa_id(to)
        if digits is None:
            raise bad_value(f"to: '{to[:64]}' is not a phone number with its country code.")
        return to, digits
    recipient = data.get("recipient")
    if recipient is None:
        raise GraphError(100, message="(#100) The parameter to is required.")
    if not isinstance(recipient, str) or not USER_ID.match(recipient):
        raise bad_value("recipient must be a business-scoped user id, for example US.13491208655302741918.")
    return recipient, recipient


def _check(type_: Any, body: Any, whatsapp: WhatsApp, account: Account) -> Template | None:
    """Check the type's own object; return the template of a template message."""
    if type_ == "text":
        text(body)
    elif type_ == "template":
        return template(body, account, whatsapp.media, whatsapp.templates)
    elif type_ in MEDIA_TYPES:
        media(type_, body, account, whatsapp.media)
    elif type_ == "interactive":
        interactive(body, account, whatsapp.media)
    elif type_ == "reaction":
        reaction(body)
    elif type_ == "location":
        location(body)
    elif type_ == "contacts":
        contacts(body)
    else:
        allowed = ", ".join(TYPES).upper()
        raise invalid(f'Param type must be one of {{{allowed}}} - got "{type_}".')
    return None


def _context(data: dict[str, Any]) -> dict[str, Any] | None:
    context = data.get("context")
    if context is None:
        return None
    context = an_object(context, "context")
    known_keys(context, _CONTEXT, "context")
    a_string(context.get("message_id"), "context['message_id']", 512)
    return context


def _callback_data(data: dict[str, Any]) -> str | None:
    given = data.get("biz_opaque_callback_data")
    if given is None:
        return None
    return a_string(given, "biz_opaque_callback_data", CALLBACK_DATA_MAX, least=0)


def _mark_read(whatsapp: WhatsApp, account: Account, data: dict[str, Any]) -> web.Response:
    if data["status"] != "read":
        raise invalid("Param status must be one of {READ}")
    message_id = data.get("message_id")
    if message_id is None:
        raise missing("message_id")
    found = whatsapp.received(a_string(message_id, "message_id", 512))
    if found is None or found.account.phone_number_id != account.phone_number_id:
        raise bad_value("message_id is not a message that this business phone number received.")
    typing = data.get("typing_indicator")
    if typing is not None and an_object(typing, "typing_indicator").get("type") != "text":
        raise bad_value("typing_indicator['type'] must be text.")
    whatsapp.mark_read_by_business(found)
    if typing is not None:
        whatsapp.phones.set_typing(found.phone)
    return answer({"success": True})
