"""A template message in words: variables filled in, footer and buttons as lines. Pure.

What WhatsApp draws for a number on the Cloud API, a person reads as text: in the inbox, and where a number on WhatsApp
Web sends it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from blazz_contracts.content import CONTENT
from blazz_contracts.message import Failure
from pydantic import ValidationError

from blazz_chat.failures import MAX_TITLE

# Meta's own names of variables; those that we take ourselves are narrower (`views.template`).
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,64})\s*\}\}")
_FILES = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document"}
# What may stand in an address as it is; the rest would end it where somebody reads it.
_IN_ADDRESS = "-._~:/?#[]@!$&'()*+,;=%"
MOST_TEXT, MOST_CAPTION = 4096, 1024
"""Characters of a text and of a caption (Cloud API reference, "Messages")."""
# What values may make of a template, all places together: the longest body that Meta takes, of a template that has
# nothing else. A variable may stand in hundreds of places, so it is counted before anything is written.
_MOST_FILLED = 32_768

Components = Sequence[dict[str, Any]]


class NotRendered(Exception):
    """The template and what it was given make no message."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(title)
        self.failure = Failure(code=code, title=title[:MAX_TITLE])


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template message says."""

    text: str
    file: dict[str, Any] | None = None
    """The header's file: `type`, `link` or `media_id`, and a document's `filename`."""

    def content(self) -> dict[str, Any]:
        """As a message that any number can send. Raises `NotRendered` when it is too long for that."""
        if self.file is None:
            _short_enough(self.text, MOST_TEXT, "a text")
            return {"type": "text", "body": self.text}
        _short_enough(self.text, MOST_CAPTION, "the caption of a file")
        made = self.file | {"caption": self.text}
        try:
            return CONTENT.validate_python(made).model_dump(mode="json", exclude_none=True)
        except ValidationError as error:
            raise NotRendered(
                "template_parameters",
                f"The header's {self.file['type']} needs a link (https://…) or the id of an upload of yours.",
            ) from error


def rendered(components: Components, given: Components) -> Rendered:
    """Fill a template's `components` with a message's (both in Meta's shape). Raises `NotRendered`."""
    parts = _parts(components)
    filled = _Given(given)
    header = parts.get("HEADER")
    file = _file(header, filled) if header and _format(header) != "TEXT" else None
    lines = [
        _filled(header, "header", filled) if header and file is None else "",
        _filled(parts.get("BODY", {}), "body", filled),
        _words(parts.get("FOOTER", {}).get("text")),
        "\n".join(_buttons(parts.get("BUTTONS", {}).get("buttons"), filled)),
    ]
    filled.nothing_left()
    return Rendered("\n\n".join(line for line in lines if line), file)


class _Given:
    """The parameters of a message, taken as they are used, so that what is too much is seen."""

    def __init__(self, given: Components) -> None:
        self._left: dict[str, list[dict[str, Any]]] = {}
        for each in given:
            kind = str(each.get("type", "")).lower()
            place = f"button {each.get('index', 0)}" if kind == "button" else kind
            parameters = each.get("parameters")
            found = [one for one in parameters if isinstance(one, dict)] if isinstance(parameters, list) else []
            self._left.setdefault(place, []).extend(found)
        self._room = _MOST_FILLED

    def take(self, place: str) -> list[dict[str, Any]]:
        """What was given for it."""
        return self._left.pop(place, [])

    def fill(self, text: str, values: dict[str, str]) -> str:
        """Put values in the place of variables. Raises `NotRendered` before it is too much."""
        self._room -= sum(len(values[name]) for name in _VARIABLE.findall(text))
        if self._room < 0:
            raise _too_long(f"more than {_MOST_FILLED}", MOST_TEXT, "a text")
        return _VARIABLE.sub(lambda found: values[found[1]], text)

    def nothing_left(self) -> None:
        """Raise when something was given that the template has no place for."""
        for place, parameters in self._left.items():
            if parameters:
                raise NotRendered(
                    "template_parameters",
                    f"The template takes no parameters for {place or 'a component without a type'}; "
                    f"{len(parameters)} given.",
                )


def _parts(components: Components) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {}
    for each in components:
        kind = str(each.get("type", "")).upper()
        if kind not in ("HEADER", "BODY", "FOOTER", "BUTTONS"):
            raise _beyond_text(kind)
        parts[kind] = each
    return parts


def _beyond_text(kind: str) -> NotRendered:
    return NotRendered(
        "template_not_renderable",
        f"The template has a part of type {kind[:64] or '?'}, which cannot be written as text: send it from a number "
        "on Meta's Cloud API.",
    )


def _format(header: dict[str, Any]) -> str:
    return str(header.get("format", "TEXT")).upper()


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _filled(component: dict[str, Any], place: str, given: _Given) -> str:
    text = _words(component.get("text"))
    values = _values(list(dict.fromkeys(_VARIABLE.findall(text))), given.take(place), place)
    return given.fill(text, values)


def _values(names: list[str], parameters: list[dict[str, Any]], place: str) -> dict[str, str]:
    """Each variable's value: by its name, or numbered ones by the order they are given in."""
    if len(parameters) != len(names):
        raise NotRendered(
            "template_parameters", f"The template's {place} takes {_count(len(names))}; {len(parameters)} given."
        )
    in_order = sorted(names, key=lambda name: int(name) if name.isdigit() else 0)
    values: dict[str, str] = {}
    for number, parameter in enumerate(parameters):
        name = parameter.get("parameter_name")
        name = name if isinstance(name, str) else in_order[number]
        value = _value(parameter).strip()
        if name not in names or name in values:
            raise NotRendered("template_parameters", f"The template's {place} has no place for {name[:64]!r}.")
        if not value:
            raise NotRendered("template_parameters", f"The parameter {name!r} of the template's {place} is empty.")
        values[name] = _not_too_long(value, f"The parameter {name!r} of the template's {place}")
    return values


def _count(number: int) -> str:
    return "no parameters" if number == 0 else "1 parameter" if number == 1 else f"{number} parameters"


def _value(parameter: dict[str, Any]) -> str:
    """A text, or what currency and date_time fall back on."""
    kind = str(parameter.get("type", "text")).lower()
    value = parameter.get(kind)
    return _words(value.get("fallback_value") if isinstance(value, dict) else value)


def _file(header: dict[str, Any], given: _Given) -> dict[str, Any]:
    kind = _FILES.get(_format(header))
    if kind is None:
        raise _beyond_text(f"HEADER {_format(header)}")
    parameters = given.take("header")
    named = parameters[0].get(kind) if len(parameters) == 1 else None
    if not isinstance(named, dict):
        raise NotRendered(
            "template_parameters", f"The template's header takes one parameter of type {kind}; {len(parameters)} given."
        )
    file: dict[str, Any] = {"type": kind}
    if isinstance(named.get("link"), str):
        file["link"] = named["link"]
    elif isinstance(named.get("id"), str) and (media_id := _uuid(named["id"])) is not None:
        file["media_id"] = media_id
    if kind == "document" and isinstance(named.get("filename"), str):
        file["filename"] = named["filename"]
    return file


def _uuid(value: str) -> str | None:
    """An upload's id; Meta's own ids mean nothing to WhatsApp Web."""
    try:
        return str(UUID(value))
    except ValueError:
        return None


def _buttons(buttons: Any, given: _Given) -> Iterable[str]:
    for index, button in enumerate(buttons if isinstance(buttons, list) else ()):
        if not isinstance(button, dict):
            raise _beyond_text("BUTTONS")
        kind, label = str(button.get("type", "")).upper(), _words(button.get("text"))
        place = f"button {index}"
        if kind == "QUICK_REPLY":
            given.take(place)  # its payload comes back when it is pressed: as text nobody presses it
            yield f"• {label}"
        elif kind == "PHONE_NUMBER":
            yield f"{label}: {_words(button.get('phone_number'))}"
        elif kind == "URL":
            yield f"{label}: {_address(_words(button.get('url')), place, given)}"
        elif kind == "COPY_CODE":
            codes = [_words(each.get("coupon_code")).strip() for each in given.take(place)]
            if len(codes) != 1 or not codes[0]:
                raise NotRendered("template_parameters", f"The template's {place} takes 1 parameter, coupon_code.")
            copied = _not_too_long(codes[0], f"The coupon_code of the template's {place}")
            yield f"{label}: {copied}"
        else:
            raise _beyond_text(f"BUTTONS {kind}")


def _address(url: str, place: str, given: _Given) -> str:
    values = _values(list(dict.fromkeys(_VARIABLE.findall(url))), given.take(place), place)
    return given.fill(url, {name: quote(value, safe=_IN_ADDRESS) for name, value in values.items()})


def _not_too_long(value: str, what: str) -> str:
    if len(value) > MOST_TEXT:
        raise NotRendered("template_too_long", f"{what} has {len(value)} characters; a text has {MOST_TEXT} at most.")
    return value


def _short_enough(text: str, most: int, what: str) -> None:
    if len(text) > most:
        raise _too_long(str(len(text)), most, what)
    if not text:
        raise NotRendered("template_not_renderable", "The template says nothing in words.")


def _too_long(characters: str, most: int, what: str) -> NotRendered:
    return NotRendered(
        "template_too_long",
        f"With its parameters the template has {characters} characters; {what} has {most} at most.",
    )
