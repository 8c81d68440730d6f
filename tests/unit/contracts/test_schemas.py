"""The committed schemas are the events', and nothing published is broken."""

import json

import pytest
from blazz_contracts import Event
from blazz_contracts import publish_schemas as published
from blazz_contracts.events import ALL, BY_NAME
from blazz_contracts.schema import breaks, file_name, schema_of

every_event = pytest.mark.parametrize("event", ALL, ids=lambda event: event.name)


@every_event
def test_the_committed_schema_is_the_events(event: type[Event]) -> None:
    committed = (published.SCHEMAS / file_name(event)).read_text("utf-8")
    assert committed == published.rendered(schema_of(event)), "run `make schemas`"


@every_event
def test_nothing_that_was_published_is_broken(event: type[Event]) -> None:
    assert breaks(json.loads((published.SCHEMAS / file_name(event)).read_text("utf-8")), schema_of(event)) == []


@every_event
def test_every_field_says_what_it_is_or_has_a_name_that_does(event: type[Event]) -> None:
    assert (event.__doc__ or "").strip()


def test_there_is_a_schema_and_a_golden_payload_for_each_event_and_for_nothing_else() -> None:
    expected = {file_name(event) for event in ALL}
    for folder in (published.SCHEMAS, published.GOLDEN):
        assert {file.name for file in folder.glob("*.json")} == expected


def test_no_two_events_have_the_same_name() -> None:
    assert len(BY_NAME) == len(ALL)


def test_publishing_refuses_what_would_break_a_version(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    event = BY_NAME["campaign.progress"]
    stricter = schema_of(event)
    stricter["properties"]["told_by"] = {"type": "string"}  # a field that today's event does not have any more
    (folder / file_name(event)).write_text(json.dumps(stricter))
    monkeypatch.setattr(published, "SCHEMAS", folder)
    assert published.publish() == ["campaign.progress v1: told_by: the field is gone"]
    assert json.loads((folder / file_name(event)).read_text()) == stricter
