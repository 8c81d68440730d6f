"""Payloads as they were sent are understood by older and newer code alike."""

import json
from collections.abc import Iterator
from typing import Any, get_args
from uuid import uuid4

import jsonschema
import pytest
from blazz_contracts import Event, Kind
from blazz_contracts.event import Contract
from blazz_contracts.events import ALL
from blazz_contracts.publish_schemas import GOLDEN, SCHEMAS
from blazz_contracts.recipient import Recipient
from blazz_contracts.schema import file_name
from pydantic import BaseModel, ValidationError

every_event = pytest.mark.parametrize("event", ALL, ids=lambda event: event.name)


def golden(event: type[Event]) -> dict[str, Any]:
    """The payload that is committed for an event's version."""
    return dict(json.loads((GOLDEN / file_name(event)).read_text("utf-8")))


def covers(whole: Any, part: Any) -> bool:
    """Whether everything in `part` is in `whole`."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and covers(whole[key], each) for key, each in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(covers, whole, part))
    return bool(whole == part)


@every_event
def test_a_golden_payload_parses_and_keeps_every_field(event: type[Event]) -> None:
    payload = golden(event)
    assert covers(event.model_validate(payload).model_dump(mode="json"), payload)


@every_event
def test_a_golden_payload_suits_the_committed_schema(event: type[Event]) -> None:
    schema = json.loads((SCHEMAS / file_name(event)).read_text("utf-8"))
    jsonschema.validate(golden(event), schema, format_checker=jsonschema.FormatChecker())


@every_event
def test_a_golden_payload_fills_every_field(event: type[Event]) -> None:
    parsed = event.model_validate(golden(event))
    assert [path for path, value in _fields(parsed) if value is None or value == [] or value == {}] == []


@every_event
def test_what_a_newer_producer_adds_is_passed_over(event: type[Event]) -> None:
    payload = golden(event)
    newer = _with_unknown_fields(payload)
    assert newer != payload
    parsed = event.model_validate(newer).model_dump(mode="json")
    assert covers(parsed, payload)
    assert "added_later" not in parsed


@every_event
def test_what_an_older_producer_does_not_send_is_done_without(event: type[Event]) -> None:
    payload = golden(event)
    assert event.model_validate(_without_optional_fields(event, payload))
    for field in [name for name, each in event.model_fields.items() if not each.is_required()]:
        assert event.model_validate({name: value for name, value in payload.items() if name != field})


@every_event
@pytest.mark.parametrize("value", [None, 1, "x", [], {"nonsense": True}])
def test_what_is_no_such_event_is_refused(event: type[Event], value: Any) -> None:
    with pytest.raises(ValidationError):
        event.model_validate(value)


def test_an_event_is_published_for_its_workspace() -> None:
    for event in ALL:
        parsed = event.model_validate(golden(event) | {"workspace_id": str(uuid4())})
        assert parsed.name == event.name
        if event.kind is not Kind.SESSION:  # those go by their session alone
            assert parsed.routing_key().startswith(event.name)


def _fields(model: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(model, Recipient) and value is None:
            continue  # a recipient is named in exactly one way
        yield f"{path}{name}", value
        for n, each in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(each, BaseModel):
                yield from _fields(each, f"{path}{name}.{n}.")


def _with_unknown_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {"added_later": {"deep": [1]}, **{key: _with_unknown_fields(each) for key, each in value.items()}}
    return [_with_unknown_fields(each) for each in value] if isinstance(value, list) else value


def _without_optional_fields(model: type[BaseModel], payload: dict[str, Any]) -> dict[str, Any]:
    if model is Recipient:
        return payload
    kept: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name not in payload or not (field.is_required() or name == "type"):  # `type` tells contents apart
            continue
        value = payload[name]
        inner = next((each for each in _models(field.annotation)), None)
        if inner is not None and isinstance(value, list):
            kept[name] = [_without_optional_fields(inner, each) for each in value]
        elif inner is not None and isinstance(value, dict):
            kept[name] = _without_optional_fields(_chosen(field.annotation, value), value)
        else:
            kept[name] = value
    return kept


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Contract):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _chosen(annotation: Any, value: dict[str, Any]) -> type[BaseModel]:
    """Of several models, the one whose `type` is the payload's."""
    found = list(_models(annotation))
    for each in found:
        if "type" in each.model_fields and each.model_fields["type"].default == value.get("type"):
            return each
    return found[0]
