"""Interactive messages: buttons, lists, links, flows, products, and the rarer kinds.

Limits are those of Meta's reference of the interactive object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...accounts import Account
from ...media import Library
from ..errors import bad_value, invalid, missing
from .media import media
from .shape import a_string, a_url, an_object, known_keys, maybe_string, objects

_PARTS = frozenset({"type", "header", "body", "footer", "action"})
_HEADERS = ("text", "image", "video", "document")
_ACTION = "interactive['action']"


def interactive(data: Any, account: Account, library: Library) -> None:
    """`{type, header?, body, footer?, action}`."""
    data = an_object(data, "interactive")
    known_keys(data, _PARTS, "interactive")
    kind = a_string(data.get("type"), "interactive['type']", 64)
    check = _ACTIONS.get(kind)
    if check is None:
        raise invalid(
            f"Param interactive['type'] must be one of {{{', '.join(sorted(_ACTIONS)).upper()}}} - got \"{kind}\"."
        )
    _header(data.get("header"), kind, account, library)
    if kind != "product" or data.get("body") is not None:
        body = an_object(data.get("body"), "interactive['body']")
        a_string(body.get("text"), "interactive['body']['text']", 4096 if kind == "list" else 1024)
    if data.get("footer") is not None:
        footer = an_object(data["footer"], "interactive['footer']")
        a_string(footer.get("text"), "interactive['footer']['text']", 60)
    check(an_object(data.get("action"), _ACTION))


def _header(header: Any, kind: str, account: Account, library: Library) -> None:
    if header is None:
        if kind == "product_list":
            raise missing("interactive['header']")
        return
    name = "interactive['header']"
    header = an_object(header, name)
    type_ = a_string(header.get("type"), f"{name}['type']", 16)
    if type_ not in _HEADERS or (kind in ("list", "product_list") and type_ != "text"):
        raise bad_value(f"{name}['type'] {type_} is not allowed for an interactive message of type {kind}.")
    if type_ == "text":
        a_string(header.get("text"), f"{name}['text']", 60)
    else:
        media(type_, header.get(type_), account, library, f"{name}['{type_}']")


def _unique(values: list[str], name: str) -> None:
    if len(set(values)) != len(values):
        raise bad_value(f"{name} must be different from each other.")


def _button(action: dict[str, Any]) -> None:
    replies = []
    for name, button in objects(action.get("buttons"), f"{_ACTION}['buttons']", 1, 3):
        if button.get("type") != "reply":
            raise bad_value(f"{name}['type'] must be reply.")
        reply = an_object(button.get("reply"), f"{name}['reply']")
        a_string(reply.get("id"), f"{name}['reply']['id']", 256)
        a_string(reply.get("title"), f"{name}['reply']['title']", 20)
        replies.append(reply)
    _unique([reply["id"] for reply in replies], "Button ids")
    _unique([reply["title"] for reply in replies], "Button titles")


def _list(action: dict[str, Any]) -> None:
    a_string(action.get("button"), f"{_ACTION}['button']", 20)
    sections = list(objects(action.get("sections"), f"{_ACTION}['sections']", 1, 10))
    ids = []
    for name, section in sections:
        if len(sections) > 1 or section.get("title") is not None:
            a_string(section.get("title"), f"{name}['title']", 24)
        for where, row in objects(section.get("rows"), f"{name}['rows']", 1, 10):
            ids.append(a_string(row.get("id"), f"{where}['id']", 200))
            a_string(row.get("title"), f"{where}['title']", 24)
            maybe_string(row, "description", f"{where}['description']", 72)
    if len(ids) > 10:
        raise bad_value(f"Total row count exceeds 10: {len(ids)}.")
    _unique(ids, "Row ids")


def _named(*names: str) -> Callable[[dict[str, Any]], None]:
    """Return a check for an action that needs only its name."""

    def check(action: dict[str, Any]) -> None:
        if a_string(action.get("name"), f"{_ACTION}['name']", 64) not in names:
            raise bad_value(f"{_ACTION}['name'] must be {' or '.join(names)}.")

    return check


def _cta_url(action: dict[str, Any]) -> None:
    _named("cta_url")(action)
    parameters = an_object(action.get("parameters"), f"{_ACTION}['parameters']")
    a_string(parameters.get("display_text"), f"{_ACTION}['parameters']['display_text']", 20)
    a_url(parameters.get("url"), f"{_ACTION}['parameters']['url']")


def _flow(action: dict[str, Any]) -> None:
    _named("flow")(action)
    name = f"{_ACTION}['parameters']"
    parameters = an_object(action.get("parameters"), name)
    if str(parameters.get("flow_message_version")) != "3":
        raise bad_value(f"{name}['flow_message_version'] must be 3.")
    a_string(parameters.get("flow_cta"), f"{name}['flow_cta']", 30)
    if (parameters.get("flow_id") is None) == (parameters.get("flow_name") is None):
        raise invalid(f"Exactly one of {name}['flow_id'] and {name}['flow_name'] is required.")
    if parameters.get("mode", "published") not in ("draft", "published"):
        raise bad_value(f"{name}['mode'] must be draft or published.")
    if parameters.get("flow_action", "navigate") not in ("navigate", "data_exchange"):
        raise bad_value(f"{name}['flow_action'] must be navigate or data_exchange.")


def _product(action: dict[str, Any]) -> None:
    a_string(action.get("catalog_id"), f"{_ACTION}['catalog_id']", 64)
    a_string(action.get("product_retailer_id"), f"{_ACTION}['product_retailer_id']", 100)


def _product_list(action: dict[str, Any]) -> None:
    a_string(action.get("catalog_id"), f"{_ACTION}['catalog_id']", 64)
    sections = list(objects(action.get("sections"), f"{_ACTION}['sections']", 1, 10))
    for name, section in sections:
        if len(sections) > 1:
            a_string(section.get("title"), f"{name}['title']", 24)
        for where, item in objects(section.get("product_items"), f"{name}['product_items']", 1, 30):
            a_string(item.get("product_retailer_id"), f"{where}['product_retailer_id']", 100)


def _carousel(action: dict[str, Any]) -> None:
    for where, card in objects(action.get("cards"), f"{_ACTION}['cards']", 2, 10):
        an_object(card.get("action"), f"{where}['action']")


_ACTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "button": _button,
    "list": _list,
    "cta_url": _cta_url,
    "flow": _flow,
    "product": _product,
    "product_list": _product_list,
    "catalog_message": _named("catalog_message"),
    "location_request_message": _named("send_location"),
    "address_message": _named("address_message"),
    "order_details": _named("review_and_pay"),
    "order_status": _named("review_order"),
    "call_permission_request": _named("call_permission_request"),
    "voice_call": _named("voice_call"),
    "carousel": _carousel,
}
