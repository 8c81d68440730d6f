"""JSON Schemas of the events, and what counts as breaking one."""

from collections.abc import Callable
from typing import Any

from blazz_contracts.event import Event

JsonSchema = dict[str, Any]


def schema_of(event: type[Event]) -> JsonSchema:
    """The JSON Schema of an event's payload, as consumers see it."""
    schema = event.model_json_schema(mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:blazz:{event.name}:v{event.version}"
    return schema


def file_name(event: type[Event]) -> str:
    """The name of its files, in `schemas/` and `golden/`."""
    return f"{event.name}.v{event.version}.json"


def breaks(published: JsonSchema, current: JsonSchema) -> list[str]:
    """What in `current` breaks those who speak `published`, a sentence each; empty when nothing does.

    Within a version only additions are allowed: a new optional field, a new definition, a wider bound, one more
    value. A consumer of the published form must read what is sent now (nothing it relies on is gone), and a producer
    of the published form must still be understood (nothing new is required, nothing it may send is refused).
    """
    found = list(_object_breaks("", published, current))
    definitions = published.get("$defs", {})
    for name, before in definitions.items():
        after = current.get("$defs", {}).get(name)
        if after is None:
            found.append(f"{name}: the definition is gone")
        else:
            found.extend(_object_breaks(name, before, after))
    return found


def _object_breaks(where: str, before: JsonSchema, after: JsonSchema) -> list[str]:
    found: list[str] = []
    place = f"{where}." if where else ""
    had, has = before.get("properties", {}), after.get("properties", {})
    found.extend(f"{place}{field}: the field is gone" for field in had if field not in has)
    newly_required = set(after.get("required", [])) - set(before.get("required", []))
    found.extend(f"{place}{field}: the field is required now" for field in sorted(newly_required))
    no_longer = set(before.get("required", [])) - set(after.get("required", []))
    found.extend(f"{place}{field}: consumers rely on it, and it may be missing now" for field in sorted(no_longer))
    found.extend(_values_gone(where, before, after))
    for field in sorted(had.keys() & has.keys()):
        found.extend(_value_breaks(f"{place}{field}", had[field], has[field]))
    return found


# Keys that say nothing to a machine, or that are compared on their own (`discriminator` repeats `oneOf`).
_PASSED_OVER = {"description", "title", "default", "examples", "discriminator", "enum", "const"}
# A bound may only be widened: (key, is the new value wider or the same?).
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "maxLength": lambda old, new: new >= old,
    "maximum": lambda old, new: new >= old,
    "exclusiveMaximum": lambda old, new: new >= old,
    "maxItems": lambda old, new: new >= old,
    "maxProperties": lambda old, new: new >= old,
    "minLength": lambda old, new: new <= old,
    "minimum": lambda old, new: new <= old,
    "exclusiveMinimum": lambda old, new: new <= old,
    "minItems": lambda old, new: new <= old,
    "minProperties": lambda old, new: new <= old,
    # Whether one pattern takes more than another is not to be told: it may only go.
    "pattern": lambda _old, _new: False,
}


def _value_breaks(where: str, before: Any, after: Any) -> list[str]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [] if before == after else [f"{where}: {before!r} became {after!r}"]
    found = list(_values_gone(where, before, after))
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if key in _PASSED_OVER or old == new:
            continue
        if key in _BOUNDS:
            if new is not None and (old is None or not _BOUNDS[key](old, new)):
                found.append(f"{where}: {key} is narrower ({old} → {new})")
        elif key in {"anyOf", "oneOf"} and isinstance(old, list) and isinstance(new, list):
            found.extend(
                f"{where}: {_named(choice)} is no longer allowed"
                for choice in old
                if all(_value_breaks(where, choice, each) for each in new)
            )
        elif key in {"items", "additionalProperties"}:
            found.extend(_value_breaks(f"{where}[]", old, new))
        else:
            found.append(f"{where}: {key} changed ({old!r} → {new!r})")
    return found


def _values_gone(where: str, before: JsonSchema, after: JsonSchema) -> list[str]:
    """Values of an enumeration that are not allowed any more; one value is an enumeration of one."""
    had, has = _values(before), _values(after)
    if has is None:
        return []
    if had is None:
        return [f"{where}: only some values are allowed now ({', '.join(map(repr, has))})"]
    return [f"{where}: the value {value!r} is gone" for value in had if value not in has]


def _values(schema: JsonSchema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _named(choice: Any) -> str:
    return str(choice.get("$ref") or choice.get("type") or choice) if isinstance(choice, dict) else str(choice)
