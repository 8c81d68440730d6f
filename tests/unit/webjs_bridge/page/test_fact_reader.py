"""Facts, whatever the page tells."""

import json

import pytest
from blazz_webjs_bridge.page.fact_reader import KINDS, FactReader
from blazz_webjs_bridge.page.facts import Fact, QrIdle, QrShown
from structlog.testing import capture_logs


@pytest.fixture
def heard() -> list[Fact]:
    return []


@pytest.fixture
def reader(heard: list[Fact]) -> FactReader:
    return FactReader(heard.append)


def test_facts_are_handed_on_in_their_order_and_garbage_between_them_is_counted(
    reader: FactReader, heard: list[Fact]
) -> None:
    reader.take('[{"kind": "qr", "code": "1"}, {"kind": "pigeon"}, 7, {"kind": "qr_idle", "new": 1}]')
    assert heard == [QrShown(code="1"), QrIdle()]
    assert reader.unreadable == {"pigeon": 1, "none": 1}


@pytest.mark.parametrize("batch", [None, 7, {}, "", "{", "{}", "7", "[" * 100_000])
def test_a_batch_that_is_none_is_counted(reader: FactReader, heard: list[Fact], batch: object) -> None:
    reader.take(batch)
    assert heard == []
    assert reader.unreadable == {"batch": 1}


def test_a_kind_of_garbage_is_logged_once_and_without_its_words(reader: FactReader) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            reader.take(json.dumps([{"kind": "message", "message": {"id": "false_1@c.us_3EB0", "text": "my secret"}}]))
    assert [entry["event"] for entry in logs] == ["page_fact_unreadable"]
    assert "secret" not in str(logs)
    assert reader.unreadable == {"message": 3}


def test_kinds_that_are_made_up_without_end_are_counted_together(reader: FactReader) -> None:
    reader.take(json.dumps([{"kind": f"made up {number}"} for number in range(1000)]))
    assert len(reader.unreadable) == KINDS + 1
    assert reader.unreadable.total() == 1000


def test_who_cannot_take_a_fact_does_not_keep_the_next_ones_away() -> None:
    heard: list[Fact] = []

    def take(fact: Fact) -> None:
        if isinstance(fact, QrShown):
            raise RuntimeError("no")
        heard.append(fact)

    FactReader(take).take('[{"kind": "qr", "code": "1"}, {"kind": "qr_idle"}]')
    assert heard == [QrIdle()]
