"""Template messages: the template must exist, be approved, and get exactly the parameters it asks for."""

from __future__ import annotations

from typing import Any

from ...accounts import Account
from ...media import Library
from ...templates import VARIABLE, Template, Templates, variables
from ..errors import GraphError, bad_value, invalid, missing
from .media import media
from .shape import a_string, an_object, objects

_TEXT_MAX = 1024
_MEDIA_HEADERS = ("image", "video", "document")
_FAILS = {"PAUSED": 132015, "DISABLED": 132016}


def template(data: Any, account: Account, library: Library, templates: Templates) -> Template:
    """`{name, language: {code}, components?}`; returns the template that is meant."""
    data = an_object(data, "template")
    name = a_string(data.get("name"), "template['name']", 512)
    language = an_object(data.get("language"), "template['language']")
    code = a_string(language.get("code"), "template['language']['code']", 16)
    found = templates.find(account.waba_id, name, code)
    if found is None or found.status not in ("APPROVED", *_FAILS):
        raise GraphError(132001, f"template name ({name}) does not exist in {code}")
    if found.status in _FAILS:
        raise GraphError(_FAILS[found.status])
    given = _by_type(data.get("components"))
    _check_header(found, given.pop("header", []), account, library)
    _check_body(found, given.pop("body", []))
    _check_buttons(found, given.pop("button", []))
    given.pop("footer", None)
    if found.component("CAROUSEL") is None and found.component("LIMITED_TIME_OFFER") is None and given:
        raise GraphError(132012, f"template has no component {next(iter(given))}")
    return found


def _by_type(components: Any) -> dict[str, list[dict[str, Any]]]:
    given: dict[str, list[dict[str, Any]]] = {}
    for name, component in objects(components or [], "template['components']", 0, 20):
        type_ = a_string(component.get("type"), f"{name}['type']", 32).lower()
        if type_ not in (
            "header",
            "body",
            "footer",
            "button",
            "carousel",
            "limited_time_offer",
            "call_permission_request",
        ):
            raise invalid(f"Param {name}['type'] must be one of {{HEADER, BODY, BUTTON, ...}} - got \"{type_}\".")
        for _ in objects(component.get("parameters", []), f"{name}['parameters']", 0, 100):
            pass
        given.setdefault(type_, []).append(component)
    return given


def _parameters(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [parameter for component in components for parameter in component.get("parameters", [])]


def _count_mismatch(where: str, given: int, expected: int) -> GraphError:
    return GraphError(
        132000,
        f"{where}: number of localizable_params ({given}) does not match the expected number of params ({expected})",
    )


def _check_texts(found: Template, where: str, text: str, parameters: list[dict[str, Any]]) -> None:
    expected = variables(text)
    if len(parameters) != len(expected):
        raise _count_mismatch(where, len(parameters), len(expected))
    values: dict[str, str] = {}
    for position, parameter in enumerate(parameters):
        key = expected[position] if found.parameter_format != "NAMED" else parameter.get("parameter_name")
        if key not in expected:
            raise GraphError(132000, f"{where}: parameter name is missing or not one of {', '.join(expected)}")
        values[str(key)] = _text_of(where, parameter)
    if len(values) != len(expected):
        raise _count_mismatch(where, len(values), len(expected))
    if len(VARIABLE.sub(lambda match: values[match[1]], text)) > _TEXT_MAX:
        raise GraphError(132005, f"{where}: Translated text too long")


def _text_of(where: str, parameter: dict[str, Any]) -> str:
    type_ = str(parameter.get("type", "")).lower()
    if type_ == "text":
        text = a_string(parameter.get("text"), f"{where} parameter['text']", 32_768)
        if "\n" in text or "\t" in text or "     " in text:
            raise GraphError(132012, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
        return text
    if type_ in ("currency", "date_time"):
        value = an_object(parameter.get(type_), f"{where} parameter['{type_}']")
        return a_string(value.get("fallback_value"), f"{where} parameter['{type_}']['fallback_value']", 1024)
    raise GraphError(132012, f"{where}: Format mismatch, expected TEXT, received {type_.upper() or 'UNKNOWN'}")


def _check_header(found: Template, components: list[dict[str, Any]], account: Account, library: Library) -> None:
    header = found.component("HEADER")
    parameters = _parameters(components)
    format_ = str(header.get("format", "TEXT")).lower() if header is not None else "text"
    if header is None or format_ == "text":
        _check_texts(found, "header", str((header or {}).get("text", "")), parameters)
        return
    if len(parameters) != 1:
        if not parameters:
            raise GraphError(132012, f"header: Format mismatch, expected {format_.upper()}, received UNKNOWN")
        raise _count_mismatch("header", len(parameters), 1)
    type_ = str(parameters[0].get("type", "")).lower()
    if type_ != format_:
        raise GraphError(132012, f"header: Format mismatch, expected {format_.upper()}, received {type_.upper()}")
    if type_ in _MEDIA_HEADERS:
        media(type_, parameters[0].get(type_), account, library, f"template header['{type_}']")
    else:
        an_object(parameters[0].get(type_), f"template header['{type_}']")


def _check_body(found: Template, components: list[dict[str, Any]]) -> None:
    body = found.component("BODY") or {}
    _check_texts(found, "body", str(body.get("text", "")), _parameters(components))


def _check_buttons(found: Template, components: list[dict[str, Any]]) -> None:
    buttons: list[dict[str, Any]] = (found.component("BUTTONS") or {}).get("buttons", [])
    given: set[int] = set()
    for component in components:
        try:
            index = int(component.get("index", 0))
        except (TypeError, ValueError):
            raise invalid("Param template button['index'] must be a number.") from None
        if not 0 <= index < len(buttons):
            raise GraphError(132012, f"buttons: template has no button at index {index}")
        sub_type = a_string(component.get("sub_type"), "template button['sub_type']", 32).lower()
        button_type = str(buttons[index].get("type", "")).lower()
        if sub_type != button_type and {sub_type, button_type} != {"url", "otp"}:
            raise bad_value(f"Button at index {index} is of type {button_type}, not {sub_type}.")
        given.add(index)
    for index, button in enumerate(buttons):
        if index not in given and (
            button.get("type") == "COPY_CODE"
            or (button.get("type") == "URL" and VARIABLE.search(str(button.get("url"))))
        ):
            raise missing("button", f"Button at index {index} of type {button['type'].title()} requires a parameter")
