"""What came in is told, and until it is, the mark before which nothing is missing stays where it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from blazz_chassis.errors import BrokerUnavailable, DatabaseUnavailable, Unavailable
from blazz_webjs_bridge import receiving, traffic
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.page.calls import FindMessage, Found, History
from blazz_webjs_bridge.page.errors import PageGarbled, PageGone, PageRefused, PageTimeout
from blazz_webjs_bridge.page.facts import Arrived, Edited
from blazz_webjs_bridge.page.words import File, Somebody, WebMessage
from blazz_webjs_bridge.traffic import Traffic

from tests.support.polling import until
from tests.unit.webjs_bridge.test_mapping import session

NOW = int(time.time())


def message(name: str, at: int, **more: Any) -> WebMessage:
    person = Somebody(chat=f"{more.pop('who', 77)}@lid", lid="77")
    side = "true" if more.get("from_me") else "false"
    fields: dict[str, Any] = {"id": f"{side}_77@lid_{name}", "from_me": False, "person": person, "type": "text"}
    return WebMessage(**(fields | {"text": name, "at": at} | more))


class Around:
    """What stands around the traffic of a session, each part of which may be away."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.ticks: list[str] = []
        self.recent: list[dict[str, Any]] = []
        self.broker_away = self.database_away = self.chat_away = False
        settings = SimpleNamespace(
            webjs_bridge_send_timeout=1.0,
            webjs_bridge_batch_wait=0.0,
            webjs_bridge_history_margin=120.0,
            webjs_bridge_lease=1.0,
            webjs_bridge_doubt_age=60.0,
        )
        self.house = SimpleNamespace(
            settings=settings,
            database=self,
            outbox=self,
            publisher=self,
            queues=self,
            library=self,
            enclosures=None,
            profiles=SimpleNamespace(files=lambda _: Path()),
        )
        self.session = session()
        self.traffic = Traffic(self.session, cast(House, self.house))

    # the publisher, the queues and the library
    async def publish(self, event: Any) -> None:
        if self.broker_away:
            raise BrokerUnavailable
        self.told.append(event.content.get("media_id") or event.content.get("body") or event.type)

    async def release(self, *_: Any, **__: Any) -> None: ...

    async def keep(self, _session: Any, page: Any, _message: Any) -> str:
        if self.chat_away:
            raise Unavailable
        return str(await page.call("file"))

    # the database and the outbox
    @asynccontextmanager
    async def worker(self) -> AsyncIterator["Around"]:
        if self.database_away:
            raise DatabaseUnavailable
        yield self

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        if sql.lstrip().startswith("update web_sends"):
            self.ticks += arguments[1]
        return self.recent if "ack < $3" in sql else []

    async def add(self, *_: Any) -> None: ...

    def send_soon(self, *_: Any) -> None: ...


class FakePage:
    """A page that answers as it is told to."""

    def __init__(self, *history: Any, file: Callable[[], Any] = lambda: "file") -> None:
        self.history, self.file, self.asked = list(history), file, 0
        self.found: dict[str, Any] = {}

    async def call(self, call: Any, *, within: float | None = None) -> Any:
        await asyncio.sleep(0)
        if isinstance(call, History):
            self.asked += 1
            answer = self.history.pop(0) if len(self.history) > 1 else self.history[0]
            if isinstance(answer, Exception):
                raise answer
            return answer[call.offset : call.offset + call.limit]
        answer = self.found.get(call.id) if isinstance(call, FindMessage) else self.file()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Around:
    monkeypatch.setattr(traffic, "_CATCH_UP_AGAIN", 0.05)
    monkeypatch.setattr(traffic, "_AGAIN", 0.01)
    monkeypatch.setattr(receiving, "_AGAIN", 0.01)
    monkeypatch.setattr(receiving, "_FILE_PAUSE", 0.05)
    return Around()


def before(seconds: int) -> datetime:
    return datetime.fromtimestamp(NOW - seconds, UTC)


async def test_what_was_missed_comes_in_although_history_failed_once_and_a_live_message_came_first(
    around: Around,
) -> None:
    live, missed = message("live", NOW), message("missed", NOW - 500)
    page = FakePage(PageTimeout(), PageGarbled(), PageTimeout(), [missed, live])
    around.traffic.begin(page, before(600))
    around.traffic.take(Arrived(message=live))
    await until(lambda: "live" in around.told and page.asked)
    assert around.traffic.seen_until == before(600)
    await until(lambda: "missed" in around.told)
    await until(lambda: around.traffic.seen_until == before(0))
    assert around.told == ["live", "missed"]


async def test_one_message_that_cannot_be_read_hides_no_other(around: Around) -> None:
    class Odd(FakePage):
        async def call(self, call: Any, *, within: float | None = None) -> Any:
            if isinstance(call, History) and call.offset <= 3 < call.offset + call.limit:
                raise PageGarbled
            return await super().call(call)

    page = Odd([message(f"n{n}", NOW - 500 + n) for n in range(10)])
    around.traffic.begin(page, before(600))
    await until(lambda: len(around.told) == 9)
    await until(lambda: around.traffic.seen_until == before(491))


async def test_what_comes_before_the_page_is_ready_moves_no_mark(around: Around) -> None:
    around.traffic.begin(FakePage([]), before(600))
    await until(lambda: not around.traffic.busy)
    around.traffic.leave_page()
    around.traffic.take(Arrived(message=message("early", NOW)))
    await until(lambda: around.told)
    assert around.traffic.seen_until == before(600)


async def test_an_edit_from_the_future_moves_no_mark_and_stops_no_renewal(around: Around) -> None:
    around.traffic.begin(FakePage([]), before(600))
    around.traffic.take(Arrived(message=message("now", NOW - 5)))
    await until(lambda: around.traffic.seen_until == before(5))
    for at in (NOW + 31_536_000, 10**18, -(10**18)):
        around.traffic.take(Edited(id="false_77@lid_now", message=message("edited", NOW - 5), at=at))
        assert around.traffic.seen_until == before(5)
    around.traffic.tick(["true_77@lid_AB"], 2, 10**18)
    await until(lambda: around.told.count("edited") == 3)
    assert around.traffic.seen_until == before(5)
    around.traffic.take(Arrived(message=message("mad", 10**18)))
    await until(lambda: "mad" in around.told)
    assert around.traffic.seen_until is not None
    assert around.traffic.seen_until <= datetime.now(UTC) + timedelta(seconds=1)


async def test_an_echo_and_a_tick_during_a_database_restart_are_told(around: Around) -> None:
    around.traffic.begin(FakePage([]), before(600))
    await until(lambda: not around.traffic._catching or around.traffic._catching.done())
    around.database_away = True
    around.traffic.take(Arrived(message=message("echo", NOW, from_me=True)))
    around.traffic.tick(["true_77@lid_AB"], 2, NOW)
    await asyncio.sleep(0.05)  # several tries in vain
    assert around.traffic.seen_until == before(600)
    around.database_away = False
    await until(lambda: around.told == ["echo"] and around.ticks == ["AB"])


async def test_a_tick_that_the_page_does_not_look_up_hides_no_other(around: Around) -> None:
    page = FakePage([])
    around.recent = [{"chat": "77@lid", "hex": f"H{n}", "ack": 1} for n in range(1200)]
    page.found = {f"true_77@lid_H{n}": Found(id=f"true_77@lid_H{n}", ack=2) for n in range(1200)}
    page.found["true_77@lid_H0"] = PageRefused("odd")
    around.traffic.begin(page, before(600))
    await until(lambda: len(around.ticks) == 1199)


async def test_a_file_waits_for_the_next_page_and_for_chat_and_holds_the_mark(around: Around) -> None:
    gone = FakePage([], file=PageGone)
    around.traffic.begin(gone, before(600))
    picture = message("picture", NOW - 300, type="image", file=File(mime_type="image/png"))
    around.traffic.take(Arrived(message=picture))
    around.traffic.take(Arrived(message=message("text", NOW, who=78)))
    around.traffic.leave_page()
    await until(lambda: around.told == ["text"])
    around.chat_away = True
    around.traffic.begin(FakePage([]), before(600))
    await until(lambda: around.traffic.seen_until == before(300))
    around.chat_away = False
    await until(lambda: around.told == ["text", "file"])
    assert around.traffic.seen_until == before(0)


async def test_a_file_that_no_page_gives_is_told_without_it(around: Around) -> None:
    around.traffic.begin(FakePage([], file=PageTimeout), before(600))
    around.traffic.take(Arrived(message=message("x", NOW, type="image", file=File())))
    await until(lambda: around.told == ["image"])


@pytest.mark.parametrize(("over", "told"), [(False, []), (True, ["image"])])
async def test_a_file_that_cannot_be_had_when_the_session_is_let_go_is_left_to_the_next_one(
    around: Around, over: bool, told: list[str]
) -> None:
    around.traffic.begin(FakePage([]), before(600))
    await asyncio.sleep(0.01)  # caught up
    around.traffic.leave_page()
    around.traffic.take(Arrived(message=message("x", NOW, type="image", file=File())))
    await asyncio.wait_for(around.traffic.close(over=over), 2)
    assert around.told == told
    assert around.traffic.seen_until == before(600)


async def test_thousands_that_wait_for_the_broker_take_no_room_and_come_by_the_history(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_MOST_WAITING", 20)
    all_of_them = [message(f"n{n}", NOW - 500 + n) for n in range(200)]
    around.broker_away = True
    page = FakePage([], all_of_them)
    around.traffic.begin(page, before(600))
    await until(lambda: page.asked)
    for each in all_of_them:
        around.traffic.take(Arrived(message=each))
    await asyncio.sleep(0.05)  # several tries in vain
    assert len(around.traffic._receiving._tasks) <= 20
    around.broker_away = False
    await until(lambda: len(around.told) == 200)
    assert around.told == [f"n{n}" for n in range(200)]
    await until(lambda: around.traffic.seen_until == before(301))
