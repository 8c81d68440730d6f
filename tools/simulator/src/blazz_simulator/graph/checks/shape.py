"""The small questions every check asks of a JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import bad_value, invalid, missing


def an_object(value: Any, name: str) -> dict[str, Any]:
    """Return `value` as an object; 131008 when missing, 100 when it is something else."""
    if value is None:
        raise missing(name)
    if not isinstance(value, dict):
        raise invalid(f"Param {name} must be an object.")
    return value


def a_list(value: Any, name: str, least: int, most: int) -> list[Any]:
    """Return `value` as a list of `least` to `most` items."""
    if value is None:
        raise missing(name)
    if not isinstance(value, list):
        raise invalid(f"Param {name} must be an array.")
    if not least <= len(value) <= most:
        raise bad_value(f"{name} must have {least} to {most} items, but has {len(value)}.")
    return value


def objects(value: Any, name: str, least: int, most: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the items of a list, each an object, with its name for errors."""
    for index, item in enumerate(a_list(value, name, least, most)):
        where = f"{name}[{index}]"
        yield where, an_object(item, where)


def a_string(value: Any, name: str, most: int, least: int = 1) -> str:
    """Return `value` as a string of `least` to `most` characters."""
    if value is None:
        raise missing(name)
    if not isinstance(value, str):
        raise invalid(f"Param {name} must be a string.")
    if len(value) < least:
        raise missing(name, f"Parameter '{name}' must not be empty.")
    if len(value) > most:
        raise invalid(f"Param {name} must be at most {most} characters long.")
    return value


def maybe_string(data: dict[str, Any], field: str, name: str, most: int) -> None:
    """Check a string that may be left out."""
    value = data.get(field)
    if value is not None:
        a_string(value, name, most, least=0)


def a_number(value: Any, name: str, least: float, most: float) -> None:
    """Check a number, or a string that holds one, as Meta takes both."""
    if value is None:
        raise missing(name)
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise invalid(f"Param {name} must be a number.")
    if not least <= number <= most:
        raise bad_value(f"{name} must be between {least} and {most}.")


def known_keys(data: dict[str, Any], allowed: frozenset[str], name: str) -> None:
    """Refuse a misspelled key with 100."""
    for key in data:
        if key not in allowed:
            raise invalid(f'Unexpected key "{key}" on param "{name}".')


def a_url(value: Any, name: str) -> str:
    """Return an http(s) URL."""
    url = a_string(value, name, 2048)
    if not url.startswith(("http://", "https://")) or " " in url:
        raise invalid(f"Param {name} is not a valid URI.")
    return url
