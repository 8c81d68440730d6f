"""New templates: what Meta takes for review and what it refuses at once."""

from __future__ import annotations

import re
from typing import Any

from ...templates import VARIABLE, variables
from ..errors import GraphError, bad_value, invalid
from .shape import a_list, a_string, an_object, objects

CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
BUTTONS = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "FLOW", "OTP", "CATALOG", "MPM", "SPM", "VOICE_CALL")
_COMPONENTS = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST")

_NAME = re.compile(r"^[a-z0-9_]{1,512}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(_[A-Z]{2,3})?$")


def name_of(data: dict[str, Any]) -> str:
    """Return the name: lower case letters, digits and underscores."""
    name = a_string(data.get("name"), "name", 512)
    if not _NAME.match(name):
        raise invalid("Param name may hold only lower case letters, digits and underscores.")
    return name


def language_of(data: dict[str, Any]) -> str:
    """Return the language and locale code."""
    language = a_string(data.get("language"), "language", 16)
    if not _LANGUAGE.match(language):
        raise invalid(f'Param language must be a language and locale code such as en_US - got "{language}".')
    return language


def category_of(data: dict[str, Any]) -> str:
    """Return the category in upper case."""
    category = a_string(data.get("category"), "category", 64).upper()
    if category not in CATEGORIES:
        raise invalid(f'Param category must be one of {{{", ".join(CATEGORIES)}}} - got "{category}".')
    return category


def format_of(data: dict[str, Any]) -> str:
    """Return how variables are named: POSITIONAL ({{1}}) or NAMED ({{first_name}})."""
    format_ = a_string(data.get("parameter_format", "POSITIONAL"), "parameter_format", 16).upper()
    if format_ not in ("POSITIONAL", "NAMED"):
        raise invalid("Param parameter_format must be one of {POSITIONAL, NAMED}.")
    return format_


def components_of(given: Any, format_: str) -> list[dict[str, Any]]:
    """Return the components, checked one by one, with types in upper case."""
    components: list[dict[str, Any]] = []
    for name, component in objects(given, "components", 1, 10):
        type_ = a_string(component.get("type"), f"{name}['type']", 32).upper()
        if type_ not in _COMPONENTS:
            raise invalid(f"Param {name}['type'] must be one of {{{', '.join(_COMPONENTS)}}} - got \"{type_}\".")
        if any(known["type"] == type_ for known in components):
            raise invalid(f"Only one component of type {type_} is allowed.")
        component = {**component, "type": type_}  # noqa: PLW2901 - the same component, its type made uniform
        if type_ == "BODY":
            _body(component, name, format_)
        elif type_ == "HEADER":
            _header(component, name, format_)
        elif type_ == "FOOTER":
            _footer(component, name)
        elif type_ == "BUTTONS":
            _buttons(component, name)
        components.append(component)
    if not any(component["type"] == "BODY" for component in components):
        raise invalid("A template needs a component of type BODY.")
    return components


def _body(component: dict[str, Any], name: str, format_: str) -> None:
    if component.get("text") is None and "add_security_recommendation" in component:
        return  # authentication templates have Meta's own text
    text = a_string(component.get("text"), f"{name}['text']", 1024)
    _variables(text, component, name, format_, "body_text")
    if text.startswith("{{") or text.rstrip().endswith("}}"):
        raise GraphError(
            100, "Variables can't be at the start or end of the template.", message="Invalid parameter", subcode=2388299
        )


def _header(component: dict[str, Any], name: str, format_: str) -> None:
    kind = a_string(component.get("format"), f"{name}['format']", 16).upper()
    if kind not in FORMATS:
        raise invalid(f"Param {name}['format'] must be one of {{{', '.join(FORMATS)}}} - got \"{kind}\".")
    component["format"] = kind
    if kind != "TEXT":
        return
    text = a_string(component.get("text"), f"{name}['text']", 60)
    if len(variables(text)) > 1:
        raise bad_value(f"{name}['text'] may hold one variable only.")
    _variables(text, component, name, format_, "header_text")


def _variables(text: str, component: dict[str, Any], name: str, format_: str, example: str) -> None:
    found = variables(text)
    if not found:
        return
    positional = format_ == "POSITIONAL"
    if positional and found != [str(number) for number in range(1, len(found) + 1)]:
        raise invalid(f"{name}['text']: variables must be numbered {{{{1}}}}, {{{{2}}}}, ... in order.")
    if not positional and not all(re.fullmatch(r"[a-z0-9_]+", v) and not v.isdigit() for v in found):
        raise invalid(f"{name}['text']: named variables hold lower case letters, digits and underscores.")
    field = example if positional else f"{example}_named_params"
    samples = an_object(component.get("example", {}), f"{name}['example']").get(field)
    if positional and example == "body_text" and isinstance(samples, list) and samples and isinstance(samples[0], list):
        samples = samples[0]
    if not isinstance(samples, list) or len(samples) != len(found):
        raise GraphError(
            100,
            f"{name} is missing expected field(s) (example): give a sample for each variable.",
            message="Invalid parameter",
            subcode=2388043,
        )


def _footer(component: dict[str, Any], name: str) -> None:
    if "code_expiration_minutes" in component:
        return
    if VARIABLE.search(a_string(component.get("text"), f"{name}['text']", 60)):
        raise invalid(f"{name}['text'] may not hold variables.")


def _buttons(component: dict[str, Any], name: str) -> None:
    for where, button in objects(component.get("buttons"), f"{name}['buttons']", 1, 10):
        type_ = a_string(button.get("type"), f"{where}['type']", 32).upper()
        if type_ not in BUTTONS:
            raise invalid(f"Param {where}['type'] must be one of {{{', '.join(BUTTONS)}}} - got \"{type_}\".")
        button["type"] = type_
        if type_ not in ("OTP", "COPY_CODE"):
            a_string(button.get("text"), f"{where}['text']", 25)
        if type_ == "URL":
            a_string(button.get("url"), f"{where}['url']", 2000)
        elif type_ == "PHONE_NUMBER":
            a_string(button.get("phone_number"), f"{where}['phone_number']", 20)
        elif type_ == "COPY_CODE":
            a_list([button.get("example")], where, 1, 1)
