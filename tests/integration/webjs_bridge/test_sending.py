"""Interleavings of sends that no real browser can be made to show: the page is a stand-in, the database is real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from blazz_chassis.database import Database
from blazz_chassis.errors import Unavailable
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import Image, Text
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from blazz_contracts.views.session import Pacing, SessionOptions
from blazz_webjs_bridge import session as sessions
from blazz_webjs_bridge.catching_up import CatchingUp
from blazz_webjs_bridge.journal import Journal
from blazz_webjs_bridge.outcomes import Outcomes
from blazz_webjs_bridge.page.calls import FindMessage, FindPerson, Found, Send, Sent
from blazz_webjs_bridge.page.errors import PageTimeout
from blazz_webjs_bridge.page.words import Somebody
from blazz_webjs_bridge.refusals import LINK_FAILED, Refused
from blazz_webjs_bridge.sending import Sending


@dataclass
class StandIn:
    """A page: what it was handed, and what it says."""

    sent: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    in_doubt: bool = False
    person_waits: asyncio.Event | None = None
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    look_waits: asyncio.Event | None = None

    async def call(self, call: Any, *, within: float | None = None) -> Any:
        match call:
            case FindPerson(phone=phone):
                if self.person_waits is not None:
                    await self.person_waits.wait()
                return Somebody(chat=f"{phone}@c.us", phone=phone)
            case FindMessage(id=id_):
                self.looked.set()
                if self.look_waits is not None:
                    await self.look_waits.wait()
                return Found(id=id_, ack=self.known[id_]) if id_ in self.known else None
            case Send(id=id_):
                self.sent.append(id_)
                if self.in_doubt:
                    raise PageTimeout
                return Sent(id=id_, ack=1)


class Files:
    """Enclosures of which some cannot be had."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    @asynccontextmanager
    async def added(self, event: SessionSend, send: Send, _folder: Path) -> AsyncIterator[Send]:
        if isinstance(event.content, Image) and self.error is not None:
            raise self.error
        yield send


class Desk:
    """A session whose row exists, and its sendings."""

    def __init__(self, database: Database, publisher: Publisher, folder: Path) -> None:
        self.database, self.publisher, self.folder = database, publisher, folder
        self.session_id, self.workspace_id = uuid4(), uuid4()
        self.page, self.files = StandIn(), Files()

    async def make(self) -> None:
        async with self.database.worker() as connection:
            await connection.execute(
                "insert into web_sessions (id, workspace_id, name, options, fence) values ($1, $2, 'S', $3, 1)",
                self.session_id,
                self.workspace_id,
                SessionOptions().model_dump(mode="json"),
            )

    async def _parts(self) -> tuple[sessions.Session, Journal, Outcomes]:
        async with self.database.worker() as connection:
            row = await connection.fetchrow(
                f"select {sessions.COLUMNS} from web_sessions where id = $1", self.session_id
            )
        session = sessions.of(row)
        outbox = Outbox(self.database, self.publisher, service="webjs-bridge")
        journal = Journal(self.database, session.id, session.fence)
        return session, journal, Outcomes(session, self.database, outbox, self.publisher)

    async def catching_up(self) -> CatchingUp:
        """What reads ticks that were missed; nothing comes in here."""
        session, journal, outcomes = await self._parts()
        return CatchingUp(session, journal, outcomes, None, margin=0)  # type: ignore[arg-type]

    async def sending(self, *, pacing: Pacing | None = None, give_up: float = 1000) -> Sending:
        """As an instance that has just taken the session makes it."""
        session, journal, outcomes = await self._parts()
        sending = Sending(
            session.id,
            journal,
            outcomes,
            self.files,  # type: ignore[arg-type]
            files=self.folder,
            pacing=pacing or Pacing(),
            send_timeout=5,
            batch_wait=0,
            give_up=give_up,
        )
        sending.begin(self.page)
        return sending

    def command(
        self, phone: str = "4915100001", *, image: bool = False, sender_phone: str | None = None
    ) -> SessionSend:
        return SessionSend(
            workspace_id=self.workspace_id,
            session_id=self.session_id,
            message_id=uuid4(),
            attempt=1,
            to=Person(phone=phone),
            content=Image(type="image", link="https://example.com/a.png") if image else Text(type="text", body="Hello"),
            sender_phone=sender_phone,
            requested_at=datetime.now(UTC),
        )

    async def state(self, command: SessionSend) -> str | None:
        async with self.database.worker() as connection:
            found = await connection.fetchval("select state from web_sends where message_id = $1", command.message_id)
        return None if found is None else str(found)

    async def failure(self, command: SessionSend) -> dict[str, Any]:
        async with self.database.worker() as connection:
            found = await connection.fetchval("select failure from web_sends where message_id = $1", command.message_id)
        return dict(found or {})

    async def ack(self, command: SessionSend) -> int:
        async with self.database.worker() as connection:
            return int(await connection.fetchval("select ack from web_sends where message_id = $1", command.message_id))

    async def aged(self, command: SessionSend, by: timedelta) -> None:
        async with self.database.worker() as connection:
            await connection.execute(
                "update web_sends set created_at = created_at - $2::interval where message_id = $1",
                command.message_id,
                by,
            )

    async def in_doubt(self, sending: Sending, command: SessionSend) -> str:
        """Hand it over so that nobody knows what became of it."""
        self.page.in_doubt = True
        await sending.handle(command, None)  # type: ignore[arg-type]
        self.page.in_doubt = False
        assert await self.state(command) == "journalled"
        return self.page.sent.pop()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(vhost: str, make_database: Any, tmp_path: Path) -> AsyncIterator[Desk]:
    made = await make_database("webjs-bridge")
    database = Database(made.api_url, made.worker_url, service="webjs-bridge")
    publisher = Publisher(vhost, service="webjs-bridge", queues=[])
    await publisher.start()
    await asyncio.wait_for(publisher.declared.wait(), 20)
    desk = Desk(database, publisher, tmp_path)
    await desk.make()
    yield desk
    await publisher.stop()
    await database.close()


async def test_a_copy_is_not_acked_before_the_first_is_written_down(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command()
    desk.page.person_waits = asyncio.Event()
    first = asyncio.create_task(sending.handle(command, None))  # type: ignore[arg-type]
    copy = asyncio.create_task(sending.handle(command, None))  # type: ignore[arg-type]
    await asyncio.wait({first, copy}, timeout=0.2)
    assert not copy.done()
    desk.page.person_waits.set()
    await asyncio.gather(first, copy)
    assert (await desk.state(command), len(desk.page.sent)) == ("sent", 1)


async def test_what_comes_while_the_page_becomes_ready_waits_and_is_sent(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command()
    sending.pause()
    sending.expect()
    handled = asyncio.create_task(sending.handle(command, None))  # type: ignore[arg-type]
    await asyncio.wait({handled}, timeout=0.2)
    assert not handled.done()
    sending.begin(desk.page)
    await handled
    assert (await desk.state(command), len(desk.page.sent)) == ("sent", 1)


async def test_what_waits_for_a_page_that_does_not_become_ready_is_given_back(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command()
    sending.pause()
    sending.expect()
    handled = asyncio.create_task(sending.handle(command, None))  # type: ignore[arg-type]
    await asyncio.wait({handled}, timeout=0.2)
    sending.pause()
    await asyncio.wait_for(handled, 5)
    assert (await desk.state(command), desk.page.sent) == (None, [])


async def test_a_copy_fails_with_the_first(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command(image=True)
    desk.files.error = Unavailable("not now")
    both = [sending.handle(command, None) for _ in range(2)]  # type: ignore[arg-type]
    told = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable, Unavailable]
    assert (command.message_id, 1) not in sending.in_hand


async def test_a_paced_message_is_acked_when_it_is_written_down_and_sent_in_its_turn(desk: Desk) -> None:
    sending = await desk.sending(pacing=Pacing(shortest_pause=0.3, longest_pause=0.3))
    commands = [desk.command(f"491510000{n}") for n in range(3)]
    for command in commands:
        await sending.handle(command, None)  # type: ignore[arg-type]
    assert desk.page.sent == []
    await sending.doubts.clear()  # they are no doubts: this instance has them in hand
    await sending.in_hand.quiet()
    assert len(desk.page.sent) == 3
    assert [await desk.state(command) for command in commands] == ["sent"] * 3


async def test_what_waits_for_its_time_is_left_in_the_journal_at_the_end(desk: Desk) -> None:
    sending, command = await desk.sending(pacing=Pacing(shortest_pause=600, longest_pause=600)), desk.command()
    await sending.handle(command, None)  # type: ignore[arg-type]
    await asyncio.wait_for(sending.close(), 5)
    assert (await desk.state(command), desk.page.sent) == ("journalled", [])


async def test_killed_after_a_passing_refusal_the_attempt_is_never_made(desk: Desk) -> None:
    command = desk.command(image=True)
    desk.files.error = Refused(LINK_FAILED)
    await (await desk.sending()).handle(command, None)  # type: ignore[arg-type]
    assert await desk.state(command) == "failed"
    # Killed before the ack: it is delivered again, to a new process, when the link works again.
    desk.files.error = None
    await (await desk.sending()).handle(command, None)  # type: ignore[arg-type]
    assert (await desk.state(command), desk.page.sent) == ("failed", [])


async def test_a_doubt_that_was_settled_meanwhile_is_not_sent(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command()
    await desk.in_doubt(sending, command)
    turn = sending.in_hand.turn(command.to.phone or "")
    await turn.acquire()
    await sending.doubts.clear()  # it has read the row, and waits for its turn
    async with desk.database.worker() as connection:
        await connection.execute("update web_sends set state = 'sent' where message_id = $1", command.message_id)
    turn.release()
    await sending.in_hand.quiet()
    assert desk.page.sent == []


async def test_two_looks_at_a_doubt_at_once_send_it_once(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command()
    id_ = await desk.in_doubt(sending, command)
    await asyncio.gather(*(sending.doubts.clear() for _ in range(3)))
    await sending.in_hand.quiet()
    assert desk.page.sent == [id_]


async def test_a_doubt_of_a_session_that_was_lost_is_left_to_its_new_owner(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command()
    await desk.in_doubt(sending, command)
    async with desk.database.worker() as connection:
        await connection.execute("update web_sessions set fence = fence + 1 where id = $1", desk.session_id)
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    assert (desk.page.sent, await desk.state(command)) == ([], "journalled")


@pytest.mark.parametrize("error", [Refused(LINK_FAILED), Unavailable("not now"), OSError(28, "disk full")])
async def test_a_doubt_whose_file_cannot_be_had_holds_back_no_other(desk: Desk, error: Exception) -> None:
    sending, bad, good = await desk.sending(give_up=3600), desk.command(image=True), desk.command("4915100002")
    await desk.in_doubt(sending, bad)
    await desk.in_doubt(sending, good)
    desk.files.error = error
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    # The first one may have left: it stays in doubt, and is not tried again at once.
    assert (await desk.state(good), await desk.state(bad)) == ("sent", "journalled")
    assert sending.doubts._later

    await desk.aged(bad, timedelta(hours=2))
    sending.begin(desk.page)
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    assert await desk.state(bad) == "failed"


async def test_an_old_doubt_that_the_page_knows_is_never_given_up(desk: Desk) -> None:
    sending, command = await desk.sending(give_up=1), desk.command(image=True)
    id_ = await desk.in_doubt(sending, command)
    await desk.aged(command, timedelta(hours=2))
    desk.files.error, desk.page.known[id_] = Refused(LINK_FAILED), 0
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    assert await desk.state(command) == "journalled"
    desk.page.known[id_] = 2
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    assert await desk.state(command) == "sent"


async def test_ticks_that_nobody_heard_are_read_and_what_the_page_does_not_know_is_counted(desk: Desk) -> None:
    sending = await desk.sending()
    first, second = desk.command(), desk.command("4915100002")
    for command in (first, second):
        await sending.handle(command, None)  # type: ignore[arg-type]
    desk.page.known[desk.page.sent[0]] = 3  # the other one the page is loading still
    catching_up = await desk.catching_up()
    unknown = await catching_up.ticks(desk.page)
    assert len(unknown) == 1
    assert [await desk.ack(command) for command in (first, second)] == [3, 1]
    desk.page.known[desk.page.sent[1]] = 2
    assert len(await catching_up.ticks(desk.page, unknown)) == 0
    assert await desk.ack(second) == 2


FIRST, SECOND = "4915100000001", "4366000000002"


async def test_what_was_accepted_for_another_number_is_refused_and_the_rest_is_sent(desk: Desk) -> None:
    sending = await desk.sending()
    sending.begin(desk.page, SECOND)
    former, own, any_ = (desk.command(sender_phone=each) for each in (FIRST, SECOND, None))
    for command in (former, former, own, any_):
        await sending.handle(command, None)  # type: ignore[arg-type]
    assert [await desk.state(each) for each in (former, own, any_)] == ["failed", "sent", "sent"]
    failure = await desk.failure(former)
    assert (failure["code"], failure["passing"], len(desk.page.sent)) == ("number_changed", False, 2)
    assert "may have left" not in failure["title"]


async def test_a_doubt_of_another_number_is_not_sent_again(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command(sender_phone=FIRST)
    sending.begin(desk.page, FIRST)
    await desk.in_doubt(sending, command)
    sending.begin(desk.page, SECOND)
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    failure = await desk.failure(command)
    assert (failure["code"], desk.page.sent) == ("number_changed", [])
    assert "may have left" in failure["title"]


async def test_a_doubt_is_sent_again_when_its_number_is_linked_again(desk: Desk) -> None:
    sending, command = await desk.sending(), desk.command(sender_phone=FIRST)
    sending.begin(desk.page, FIRST)
    id_ = await desk.in_doubt(sending, command)
    sending.begin(desk.page, FIRST)
    await sending.doubts.clear()
    await sending.in_hand.quiet()
    assert (await desk.state(command), desk.page.sent) == ("sent", [id_])


async def test_what_waits_for_its_time_does_not_leave_from_another_number(desk: Desk) -> None:
    sending = await desk.sending(pacing=Pacing(shortest_pause=0.3, longest_pause=0.3))
    command = desk.command(sender_phone=FIRST)
    sending.begin(desk.page, FIRST)
    await sending.handle(command, None)  # type: ignore[arg-type]
    sending.begin(desk.page, SECOND)
    await sending.in_hand.quiet()
    assert ((await desk.failure(command))["code"], desk.page.sent) == ("number_changed", [])
