"""From a page without an account to one that has chats, and back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from blazz_webjs_bridge.page.calls import Logout, Pair, RefreshQr, State
from blazz_webjs_bridge.page.facts import (
    Linked,
    LoggedOut,
    ModeChanged,
    PairingCodeShown,
    QrIdle,
    QrShown,
    Ready,
)

from tests.integration.webjs_bridge.page.conftest import Open, Sim
from tests.support.polling import until


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(sim: Sim) -> AsyncIterator[None]:
    """Codes that are worth little."""
    await sim.do("PUT", "web/settings", {"first_code_seconds": 3, "code_seconds": 0.3, "codes": 2})
    yield
    await sim.do("PUT", "web/settings", {})


async def test_a_code_to_scan_appears_and_scanning_it_makes_the_page_ready(open_page: Open) -> None:
    async with open_page() as driven:
        shown = await driven.hears(QrShown)
        state = await driven.call(State())
        assert (state.qr, state.authenticated, state.main_ready, state.me) == (shown.code, False, False, None)

        await driven.link()

        ready = driven.facts(Ready)[0]
        assert (ready.me.phone, bool(ready.me.lid)) == (driven.phone, True)
        kinds = [type(fact) for fact in driven.told if isinstance(fact, QrShown | Linked | Ready)]
        assert kinds == [QrShown, Linked, Ready]
        assert [mode.mode for mode in driven.facts(ModeChanged)] == ["QR", "SYNCING", "MAIN"]
        state = await driven.call(State())
        assert (state.authenticated, state.main_ready, state.missing) == (True, True, [])
        assert state.version == ready.version
        assert state.wa_js == "4.6.0"


async def test_a_linked_profile_is_ready_again_after_a_restart_without_a_code(open_page: Open, tmp_path: Path) -> None:
    async with open_page(tmp_path / "profile") as first:
        await first.link()
    async with open_page(tmp_path / "profile", phone=first.phone) as second:
        await second.hears(Ready)
        assert second.facts(QrShown) == []
        assert second.facts(Linked) == []


async def test_the_newest_code_is_told_and_an_idle_page_makes_one_on_demand(open_page: Open, hasty: None) -> None:
    async with open_page() as driven:
        await driven.hears(QrIdle)
        assert len({shown.code for shown in driven.facts(QrShown)}) == len(driven.facts(QrShown)) == 2

        await driven.call(RefreshQr())

        await until(lambda: len(driven.facts(QrShown)) >= 3, what="another code")


async def test_a_code_says_how_long_it_works(open_page: Open, hasty: None) -> None:
    async with open_page() as driven:
        await driven.hears(QrIdle)
        assert [shown.seconds for shown in driven.facts(QrShown)] == [3, 0.3]
        # Where the page does not say it: as WhatsApp changes its codes.
        await driven.page._page.evaluate(
            """() => {
              const { Conn } = WPP.whatsapp;
              Conn.on("change:refTTL", () => { if (Conn.refTTL !== window.said) Conn.set({ refTTL: window.said }); });
            }"""
        )
        await driven.call(RefreshQr())
        await until(lambda: len(driven.facts(QrShown)) == 4, what="two more codes")
        assert [shown.seconds for shown in driven.facts(QrShown)[2:]] == [60, 20]
        await driven.page._page.evaluate("window.said = 20000")  # milliseconds
        await driven.call(RefreshQr())
        await until(lambda: len(driven.facts(QrShown)) >= 5, what="another code")
        assert driven.facts(QrShown)[4].seconds == 20


async def test_a_pairing_code_that_is_typed_into_the_phone_links_the_page(open_page: Open, sim: Sim) -> None:
    async with open_page() as driven:
        await driven.hears(QrShown)

        code = await driven.call(Pair(phone=driven.phone))

        shown = await driven.hears(PairingCodeShown)
        assert (shown.code, shown.seconds) == (code, 195)
        await sim.do("POST", "web/pair", {"code": code, "phone": driven.phone})
        assert (await driven.hears(Ready)).me.phone == driven.phone


async def test_logging_out_removes_the_device_and_shows_a_code_again(open_page: Open) -> None:
    async with open_page() as driven:
        await driven.link()
        codes = len(driven.facts(QrShown))

        await driven.call(Logout())

        await driven.hears(LoggedOut)
        await until(lambda: len(driven.facts(QrShown)) > codes, what="a code")
        assert (await driven.call(State())).authenticated is False


async def test_a_phone_that_removes_the_device_is_told_with_its_reason(open_page: Open, sim: Sim) -> None:
    async with open_page() as driven:
        await driven.link()
        await sim.fault("logout", phone=driven.phone)
        await driven.hears(LoggedOut, lambda fact: fact.reason == "user_initiated")
