"""JSON Schemas of the events, and what counts as breaking one."""

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

    Within a version only additions are allowed: a new optional field, a new definition, a wider type. A consumer of
    the published form must read what is sent now (nothing it relies on is gone), and a producer of the published form
    must still be understood (nothing new is required, nothing it may send is refused).
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
    if "enum" in before:
        gone = [value for value in before["enum"] if value not in after.get("enum", [])]
        found.extend(f"{where}: the value {value!r} is gone" for value in gone)
    for field in had.keys() & has.keys():
        found.extend(_value_breaks(f"{place}{field}", had[field], has[field]))
    return found


# Keys that say nothing to a machine, or that are compared on their own.
_PROSE = {"description", "title", "default", "examples"}
# A bound may only be widened: (key, is the new value wider or the same?).
_BOUNDS = {
    "maxLength": lambda old, new: new >= old,
    "maximum": lambda old, new: new >= old,
    "maxItems": lambda old, new: new >= old,
    "minLength": lambda old, new: new <= old,
    "minimum": lambda old, new: new <= old,
    "minItems": lambda old, new: new <= old,
}


def _value_breaks(where: str, before: Any, after: Any) -> list[str]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [] if before == after else [f"{where}: {before!r} became {after!r}"]
    found: list[str] = []
    for key in before.keys() | after.keys():
        if key in _PROSE:
            continue
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if key in _BOUNDS:
            if new is not None and (old is None or not _BOUNDS[key](old, new)):
                found.append(f"{where}: {key} is narrower ({old} → {new})")
        elif key in {"anyOf", "oneOf"} and isinstance(old, list) and isinstance(new, list):
            found.extend(f"{where}: {choice} is no longer allowed" for choice in old if choice not in new)
        elif key in {"items", "additionalProperties"}:
            found.extend(_value_breaks(f"{where}[]", old, new))
        elif key == "discriminator":
            continue  # it repeats oneOf, which is compared
        else:
            found.append(f"{where}: {key} changed ({old!r} → {new!r})")
    return found
