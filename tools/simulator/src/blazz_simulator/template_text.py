"""A template message as the customer reads it: variables filled in, buttons with their addresses."""

from __future__ import annotations

import re
from typing import Any

from .templates import VARIABLE, Template, variables

_URL_VARIABLE = re.compile(r"\{\{\s*\w+\s*\}\}")


def rendered(template: Template, body: dict[str, Any]) -> dict[str, Any]:
    """Return `{header, body, footer, buttons}` of a template message with its parameters in place."""
    given = body.get("components") or []
    text = _filled(template, "BODY", _parameters(given, "body"))
    footer = template.component("FOOTER") or {}
    return {
        "header": _header(template, _parameters(given, "header")),
        "body": text,
        "footer": footer.get("text"),
        "buttons": _buttons(template, given),
    }


def _parameters(given: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [p for c in given if str(c.get("type", "")).lower() == type_ for p in c.get("parameters") or []]


def _value(parameter: dict[str, Any]) -> str:
    type_ = str(parameter.get("type", "text")).lower()
    value = parameter.get(type_)
    return str(value.get("fallback_value", "")) if isinstance(value, dict) else str(value)


def _filled(template: Template, type_: str, parameters: list[dict[str, Any]]) -> str | None:
    text = (template.component(type_) or {}).get("text")
    if not isinstance(text, str):
        return None
    names = variables(text)
    values = {
        str(parameter.get("parameter_name", names[index] if index < len(names) else "")): _value(parameter)
        for index, parameter in enumerate(parameters)
    }
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)


def _header(template: Template, parameters: list[dict[str, Any]]) -> dict[str, Any] | None:
    header = template.component("HEADER")
    if header is None:
        return None
    if str(header.get("format", "TEXT")).upper() == "TEXT":
        return {"type": "text", "text": _filled(template, "HEADER", parameters)}
    return parameters[0] if parameters else None


def _buttons(template: Template, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    shown = []
    for index, button in enumerate((template.component("BUTTONS") or {}).get("buttons", [])):
        parameters = [
            p
            for c in given
            if str(c.get("type", "")).lower() == "button" and str(c.get("index", 0)) == str(index)
            for p in c.get("parameters") or []
        ]
        view = {"type": button.get("type"), "text": button.get("text")}
        if button.get("type") == "URL":
            suffix = _value(parameters[0]) if parameters else ""
            view["url"] = suffix.join(_URL_VARIABLE.split(str(button.get("url", ""))))
        elif button.get("type") == "QUICK_REPLY":
            view["payload"] = parameters[0].get("payload", button["text"]) if parameters else button.get("text")
        shown.append(view)
    return shown
