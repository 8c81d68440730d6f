"""What goes wrong with the page or its browser: it is named, bounded in time, and hits nobody else."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psutil
import pytest
import pytest_asyncio
from blazz_webjs_bridge.page.calls import FindMessage, FindPerson, State, TakeOver
from blazz_webjs_bridge.page.errors import PageGarbled, PageGone, PageRefused, PageTimeout
from blazz_webjs_bridge.page.facts import Alive, BackendFailed, ModeChanged, Ready
from playwright.async_api import async_playwright

from tests.integration.webjs_bridge.page.conftest import Driven, Open, Sim
from tests.support.polling import until


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_page: Open) -> AsyncIterator[Driven]:
    """A linked page that may be broken."""
    async with open_page() as driven:
        await driven.link()
        yield driven


async def test_a_page_without_an_account_refuses_what_needs_chats(open_page: Open) -> None:
    async with open_page() as driven:
        for call in (FindPerson(phone="49301"), FindMessage(id="true_1@c.us_3EB0")):
            with pytest.raises(PageRefused) as refused:
                await driven.call(call)
            assert refused.value.reason == "not_ready"


async def test_a_page_used_elsewhere_says_conflict_and_can_be_taken_back(linked: Driven, sim: Sim) -> None:
    ready = len(linked.facts(Ready))
    await sim.fault("conflict", phone=linked.phone)
    await linked.hears(ModeChanged, lambda fact: fact.mode == "CONFLICT")
    with pytest.raises(PageRefused) as refused:
        await linked.send("1@c.us", text="?")
    assert refused.value.reason == "not_ready"

    await linked.call(TakeOver())

    await until(lambda: len(linked.facts(Ready)) > ready, what="ready again")
    assert (await linked.call(State())).mode == "MAIN"


async def test_a_page_that_lost_its_connection_says_offline_and_comes_back(
    linked: Driven, sim: Sim, mended: None
) -> None:
    person = await linked.somebody()
    await sim.fault("offline", phone=linked.phone)
    await linked.hears(ModeChanged, lambda fact: fact.mode == "OFFLINE")
    await linked.hears(Alive, lambda fact: not fact.online)
    sent = await linked.send(person.chat, text="later", within=2)
    assert sent.ack == 0
    with pytest.raises(PageRefused) as refused:
        await linked.call(FindPerson(phone="4917100000009"))
    assert refused.value.reason == "not_connected"

    await sim.mend()

    async def left() -> bool:
        found = await linked.call(FindMessage(id=sent.id))
        return found is not None and found.ack >= 1

    await until(left, what="the message that waited")


async def test_an_outdated_version_and_a_broken_storage_are_told(page: Driven, sim: Sim) -> None:
    await sim.fault("storage_error", phone=page.phone)
    await page.hears(BackendFailed, lambda fact: fact.name == "storage_initialization_error")
    await sim.fault("deprecate", phone=page.phone)
    await page.hears(ModeChanged, lambda fact: fact.mode == "DEPRECATED_VERSION")


async def test_a_frozen_page_times_out_while_others_answer(linked: Driven, page: Driven, sim: Sim) -> None:
    await page.freeze(3)
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(PageTimeout):
        await page.call(State(), within=0.5)

    assert loop.time() - began < 1.5
    assert (await linked.call(State(), within=1)).main_ready
    beats = len(page.facts(Alive))
    await until(lambda: len(page.facts(Alive)) > beats, within=10, what="a beat after the freeze")
    assert (await page.call(State())).main_ready


async def test_a_page_that_crashes_fails_all_that_wait_at_once_and_says_so(page: Driven, sim: Sim) -> None:
    person = await page.somebody()
    await sim.fault("drop_ack", phone=page.phone, count=1, seconds=60)
    waiting = asyncio.ensure_future(page.send(person.chat, text="?"))
    await until(lambda: any(alive.pending for alive in page.facts(Alive)), what="a send under way")

    await sim.fault("crash", phone=page.phone)

    assert await asyncio.wait_for(page.page.gone, 10) == "page_crashed"
    with pytest.raises(PageGone):
        await asyncio.wait_for(waiting, 1)
    with pytest.raises(PageGone):
        await page.call(State())
    await sim.mend()


async def test_a_browser_that_is_killed_is_gone_and_leaves_no_process(page: Driven) -> None:
    processes = psutil.Process(page.page.pid).children(recursive=True)
    assert processes
    os.kill(page.page.pid, signal.SIGKILL)
    assert await asyncio.wait_for(page.page.gone, 5) == "browser_closed"
    assert page.page.cause == "browser_closed"
    await page.page.close()
    await until(lambda: not any(running(process) for process in processes), what="their end")


async def test_closing_leaves_no_process_even_when_the_page_is_frozen(page: Driven, sim: Sim) -> None:
    processes = [psutil.Process(page.page.pid), *psutil.Process(page.page.pid).children(recursive=True)]
    await page.freeze(30)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await page.page.close(within=1)
    assert loop.time() - began < 8
    assert page.page.cause == "browser_closed"
    await until(lambda: not any(running(process) for process in processes), what="their end")


async def test_the_site_alone_may_be_loaded(linked: Driven) -> None:
    await linked.page._page.evaluate("() => { location.href = 'http://127.0.0.2:9/elsewhere' }")
    await linked.page._page.evaluate("() => { window.open('http://127.0.0.2:9/elsewhere') }")
    assert (await linked.call(State())).main_ready
    await until(lambda: len(linked.page._context.pages) == 1, what="the second window's end")
    assert linked.page.cause is None


async def test_a_page_that_ends_up_elsewhere_all_the_same_is_gone(open_page: Open) -> None:
    async with open_page() as driven:
        await driven.page._page.goto("data:text/html,elsewhere")
        assert await asyncio.wait_for(driven.page.gone, 5) == "navigated_away"


async def test_nonsense_from_the_page_is_refused_and_the_page_lives_on(open_page: Open) -> None:
    async with open_page() as driven:
        tell = "batch => window.__blazzTell(batch)"
        for batch in ("{", "7", '[{"kind": "message"}, {"kind": 3}, 5, null]', '[{"kind": "ack", "ids": []}]'):
            await driven.page._page.evaluate(tell, batch)
        await driven.page._page.evaluate("() => window.__blazzTell({}, 1)")
        assert driven.page.facts.unreadable == {"batch": 3, "message": 1, "none": 3, "ack": 1}
        await driven.page._page.evaluate("() => { Object.prototype.toJSON = () => 'nonsense' }")
        with pytest.raises(PageGarbled):
            await driven.call(State())
        await driven.page._page.evaluate("() => { delete Object.prototype.toJSON }")
        assert (await driven.call(State())).wa_js == "4.6.0"
        await driven.hears(Alive)


async def test_memory_and_cpu_are_those_of_the_whole_browser(linked: Driven) -> None:
    assert 50_000_000 < await linked.page.memory() < 2_000_000_000
    before = await linked.page.cpu()
    await linked.page._page.evaluate("() => { let sum = 0; for (let i = 0; i < 1e9; i++) sum += i % 7; return sum; }")
    assert await linked.page.cpu() - before > 0.2


async def test_when_playwrights_own_process_dies_its_pages_are_gone_and_no_browser_is_left(open_page: Open) -> None:
    before = set(psutil.Process().children())
    async with AsyncExitStack() as stack:
        started = await async_playwright().start()
        (driver,) = set(psutil.Process().children()) - before
        driven = await stack.enter_async_context(open_page(playwright=started))
        processes = [psutil.Process(driven.page.pid), *psutil.Process(driven.page.pid).children(recursive=True)]
        waiting = asyncio.ensure_future(driven.call(State(), within=30))

        driver.kill()

        assert await asyncio.wait_for(driven.page.gone, 10) == "browser_closed"
        with contextlib.suppress(PageGone):
            await asyncio.wait_for(waiting, 1)
        with pytest.raises(PageGone):
            await driven.call(State())
        await asyncio.wait_for(driven.page.close(), 12)
        await until(lambda: not any(running(process) for process in processes), what="their end")


def running(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
