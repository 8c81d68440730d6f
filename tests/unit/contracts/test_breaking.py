"""What breaks a published version is found, and what does not is let pass."""

from copy import deepcopy
from typing import Any

import pytest
from blazz_contracts.events import ALL
from blazz_contracts.schema import breaks, schema_of

PUBLISHED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "What it is."},
        "name": {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^[a-z]+$"},
        "count": {"type": "integer", "minimum": 0, "maximum": 9},
        "interval": {"type": "number", "exclusiveMinimum": 0},
        "note": {"anyOf": [{"type": "string", "maxLength": 10, "description": "A note."}, {"type": "null"}]},
        "kind": {"enum": ["a", "b"], "type": "string"},
        "only": {"const": "x", "type": "string"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}, "minItems": 1, "maxItems": 5},
        "content": {"oneOf": [{"$ref": "#/$defs/Item"}, {"$ref": "#/$defs/Other"}], "discriminator": {"x": 1}},
        "data": {"type": "object", "additionalProperties": True},
    },
    "required": ["id", "name", "items"],
    "$defs": {
        "Item": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        "Other": {"type": "object", "properties": {"b": {"type": "string"}}},
        "Status": {"enum": ["sent", "failed"], "type": "string"},
    },
}


def changed(**changes: Any) -> dict[str, Any]:
    """The schema with changes: `a__b=value` sets, `a__b=None` removes."""
    made = deepcopy(PUBLISHED)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = made
        for step in way:
            place = place["$defs" if step == "defs" else step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return made


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"properties__count": None}, "count: the field is gone"),
        ({"required": ["id", "name", "items", "count"]}, "count: the field is required now"),
        ({"required": ["id", "items"]}, "name: consumers rely on it"),
        ({"properties__count__type": "string"}, "count: type changed"),
        ({"properties__id__format": None}, "id: format changed"),
        ({"properties__name__maxLength": 9}, "name: maxLength is narrower"),
        ({"properties__name__minLength": 2}, "name: minLength is narrower"),
        ({"properties__name__pattern": "^[a-y]+$"}, "name: pattern is narrower"),
        ({"properties__count__minimum": 1}, "count: minimum is narrower"),
        ({"properties__count__maximum": 8}, "count: maximum is narrower"),
        ({"properties__interval__exclusiveMinimum": 1}, "interval: exclusiveMinimum is narrower"),
        ({"properties__id__maxLength": 36}, "id: maxLength is narrower"),
        ({"properties__items__maxItems": 4}, "items: maxItems is narrower"),
        ({"properties__items__items": {"$ref": "#/$defs/Other"}}, "items[]: $ref changed"),
        ({"properties__kind__enum": ["a"]}, "kind: the value 'b' is gone"),
        ({"properties__only": {"const": "y", "type": "string"}}, "only: the value 'x' is gone"),
        ({"properties__name__enum": ["a"]}, "name: only some values are allowed now"),
        ({"properties__note__anyOf": [{"type": "string"}]}, "note: null is no longer allowed"),
        (
            {"properties__note__anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
            "note: string is no longer allowed",
        ),
        (
            {"properties__count": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
            "count: type changed",
        ),
        ({"properties__content__oneOf": [{"$ref": "#/$defs/Item"}]}, "content: #/$defs/Other is no longer allowed"),
        ({"properties__data__additionalProperties": {"type": "string"}}, "data[]: True became"),
        ({"defs__Other": None}, "Other: the definition is gone"),
        ({"defs__Item__properties__a": None}, "Item.a: the field is gone"),
        ({"defs__Item__required": []}, "Item.a: consumers rely on it"),
        ({"defs__Other__required": ["b"]}, "Other.b: the field is required now"),
        ({"defs__Status__enum": ["sent"]}, "Status: the value 'failed' is gone"),
    ],
)
def test_a_breaking_change_is_named(change: dict[str, Any], word: str) -> None:
    found = breaks(PUBLISHED, changed(**change))
    assert any(line.startswith(word) for line in found), found


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"properties__new": {"type": "string"}},
        {"defs__New": {"type": "object"}},
        {"properties__id__description": "Said better."},
        {"properties__id__title": "Id"},
        {"properties__count__default": 3},
        {"properties__name__maxLength": 11},
        {"properties__name__minLength": 0},
        {"properties__name__maxLength": None},
        {"properties__name__pattern": None},
        {"properties__count__maximum": 10},
        {"properties__interval__exclusiveMinimum": -1},
        {"properties__items__maxItems": 6},
        {"properties__kind__enum": ["a", "b", "c"]},
        {"properties__kind": {"type": "string"}},
        {"properties__only": {"enum": ["x", "y"], "type": "string"}},
        {"properties__note__anyOf": [{"type": "null"}, {"type": "string", "maxLength": 20, "description": "More."}]},
        {"properties__note__anyOf": [{"type": "string"}, {"type": "null"}, {"type": "integer"}]},
        {"properties__content__discriminator": {"x": 2}},
        {"defs__Item__properties__c": {"type": "string"}},
        {"defs__Status__enum": ["sent", "failed", "read"]},
        {"required": ["name", "items", "id"]},
    ],
)
def test_a_harmless_change_is_let_pass(change: dict[str, Any]) -> None:
    assert breaks(PUBLISHED, changed(**change)) == []


def test_every_event_taken_apart_field_by_field_is_noticed() -> None:
    for event in ALL:
        published = schema_of(event)
        for field in published["properties"]:
            gone = deepcopy(published)
            del gone["properties"][field]
            assert breaks(published, gone), f"{event.name}.{field}"
        assert breaks(published, published) == []
