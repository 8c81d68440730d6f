"""Events as `make watch` prints them."""

import json
from typing import Any

import pytest
from blazz_local import telling
from blazz_local.telling import Teller

from tests.support.polling import until


@pytest.fixture
def said() -> list[str]:
    return []


def status(message: str, status: str, **more: Any) -> str:
    return json.dumps({"chat": {"uuid": message, "contact_id": "c", "status": status, "at": "2026-01-01", **more}})


async def test_statuses_of_one_moment_are_one_line_with_a_count(said: list[str]) -> None:
    teller = Teller(said.append)
    for n in range(120):
        teller.tell("chat.status", status(f"m-{n}", "delivered"))
        teller.tell("chat.status", status(f"m-{n}", "read"))
    assert said == []
    teller.flush()
    assert said == ["chat.status        delivered × 120", "chat.status        read × 120"]


async def test_a_single_status_names_its_message(said: list[str]) -> None:
    teller = Teller(said.append)
    teller.tell("chat.status", status("m-1", "sent"))
    teller.tell("chat.status", status("m-2", "failed", error={"code": "window_closed", "title": "…"}))
    teller.flush()
    assert said == ["chat.status        sent m-1", "chat.status        failed (window_closed) m-2"]


async def test_statuses_are_told_before_what_came_after_them(said: list[str]) -> None:
    teller = Teller(said.append)
    teller.tell("chat.status", status("m-1", "sent"))
    teller.tell("chat.new", json.dumps({"chat": {"uuid": "m-2", "message": "hi", "status": "received"}}))
    teller.flush()
    assert said == ["chat.status        sent m-1", 'chat.new           {"message": "hi", "status": "received"}']


async def test_statuses_are_told_though_nothing_follows(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "FOLD_SECONDS", 0.01)
    Teller(said.append).tell("chat.status", status("m-1", "read"))
    await until(lambda: said == ["chat.status        read m-1"])


async def test_a_campaigns_progress_is_told_by_what_there_is(said: list[str]) -> None:
    counts = {"total": 300, "queued": 0, "requested": 100, "sent": 200, "delivered": 0}
    campaign = {"uuid": "u", "name": "Spring", "state": "sending", **counts, "at": "2026-01-01"}
    Teller(said.append).tell("campaign.progress", json.dumps({"campaign": campaign}))
    assert said == ["campaign.progress  Spring: sending, 300 in all: 100 requested, 200 sent"]
