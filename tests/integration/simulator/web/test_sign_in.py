"""A page is linked to a phone, stays linked, and is logged out."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from .conftest import ARGS, Sim, Tab, script, until

PHONE = "4930777000"


async def test_a_page_shows_a_code_and_a_scan_signs_it_in(tab: Tab, sim: Sim) -> None:
    code = await tab.code()
    parts = await tab.js("async () => WPP.conn.getAuthCode()")
    assert code == ",".join((parts["ref"], parts["staticKeyPair"], parts["identityKeyPair"], parts["secretKey"]))
    (waiting,) = [device for device in await sim.devices() if device["code"] == code]
    assert (waiting["state"], waiting["phone"], waiting["pages"]) == ("waiting", None, 1)
    assert await tab.js("[WPP.conn.isAuthenticated(), WPP.conn.isRegistered()]") == [False, False]

    answer = await sim.do("POST", "web/scan", {"code": code, "phone": "+49 30 777000"})
    assert answer["device"]["phone"] == PHONE
    await tab.main()

    for name in ("conn.authenticated", "conn.main_loaded", "conn.backend_event"):
        await tab.event(name)
    (device,) = await sim.devices(PHONE)
    assert (device["state"], device["pages"], device["code"]) == ("online", 1, None)
    me = await tab.js("[WPP.conn.getMyUserId(), WPP.conn.getMyUserWid(), WPP.conn.getMyUserLid()].map(String)")
    assert me == [f"{PHONE}@c.us", f"{PHONE}@c.us", device["lid"]]
    assert await tab.js("[WPP.conn.isAuthenticated(), WPP.conn.isMainReady(), WPP.conn.isMainLoaded()]") == [True] * 3
    assert await tab.js("WPP.conn.getAuthCode()") is None


async def test_codes_that_nobody_shows_or_shows_no_longer_are_refused(tab: Tab, sim: Sim) -> None:
    old = await tab.code()
    fresh = await tab.js("async () => (await WPP.conn.refreshQR()).fullCode")
    assert fresh != old
    refused = [
        (old, PHONE, 409, {"code": "expired"}),
        ("2@nobody,a,b,c", PHONE, 404, {"code": "unknown"}),
        (fresh.replace(",", ",x", 1), PHONE, 404, {"code": "unknown"}),
    ]
    for code, phone, status, fields in refused:
        got, answer = await sim.control("POST", "web/scan", {"code": code, "phone": phone})
        assert (got, answer["error"]["fields"]) == (status, fields)
    assert (await sim.control("POST", "web/scan", {"code": fresh, "phone": "nobody"}))[0] == 422
    assert (await sim.control("POST", "web/scan", {"phone": PHONE}))[0] == 422
    await sim.do("POST", "web/scan", {"code": fresh, "phone": PHONE})


async def test_codes_change_until_the_page_is_idle_and_a_click_brings_a_new_one(
    new_tab: Callable[..., Awaitable[Tab]], sim: Sim
) -> None:
    await sim.do("PUT", "web/settings", {"first_code_seconds": 1.5, "code_seconds": 0.2, "codes": 3})
    tab = await new_tab()
    await tab.event("conn.qrcode_idle")
    assert len([code for code in await tab.events("conn.auth_code_change") if code]) == 3
    assert await tab.js("WPP.conn.getAuthCode()") is None
    await sim.do("PUT", "web/settings", {})
    assert (await tab.js("async () => (await WPP.conn.refreshQR()).fullCode")).startswith("2@")


async def test_a_pairing_code_signs_in_with_or_without_its_dash(tab: Tab, sim: Sim) -> None:
    code = await tab.js("phone => WPP.conn.startLinkDeviceCodeForPhoneNumber(phone)", PHONE)
    assert len(code) == 8
    assert await tab.event("conn.link_code_change") == code
    assert code in [device["pairing_code"] for device in await sim.devices()]
    wrong = await sim.control("POST", "web/pair", {"code": code, "phone": "4930999999"})
    assert (wrong[0], wrong[1]["error"]["code"]) == (409, "conflict")
    assert (await sim.control("POST", "web/pair", {"code": "AAAA-AAAA", "phone": PHONE}))[0] == 404
    await sim.do("POST", "web/pair", {"code": f"{code[:4]}-{code[4:]}", "phone": PHONE})
    await tab.main()
    await tab.event("conn.authenticated")


async def test_an_expired_pairing_code_is_replaced(new_tab: Callable[..., Awaitable[Tab]], sim: Sim) -> None:
    await sim.do("PUT", "web/settings", {"pairing_seconds": 0.3})
    tab = await new_tab()
    first = await tab.js("phone => WPP.conn.startLinkDeviceCodeForPhoneNumber(phone)", PHONE)
    await tab.event("conn.link_code_change", lambda code: code != first)
    await sim.do("PUT", "web/settings", {})
    assert (await sim.control("POST", "web/pair", {"code": first, "phone": PHONE}))[0] == 404


async def test_a_reload_is_signed_in_again_without_a_scan(tab: Tab, sim: Sim) -> None:
    await tab.link("4930777001")
    await tab.reload()
    await tab.main()
    assert await tab.js("WPP.conn.isAuthenticated()")
    assert await tab.events("conn.authenticated") == []
    assert len(await sim.devices("4930777001")) == 1


async def test_a_restarted_browser_is_signed_in_again(
    sim: Sim, tmp_path: Path, chromium_path: Path, wa_js: Path
) -> None:
    async with async_playwright() as playwright:

        async def start() -> Tab:
            context = await playwright.chromium.launch_persistent_context(
                tmp_path, executable_path=chromium_path, args=ARGS
            )
            await context.add_init_script(script())
            tab = Tab(context.pages[0], sim)
            await tab.load()
            return tab

        tab = await start()
        await tab.link("4930777002")
        sent = await tab.send("4915112340001", "before the restart")
        await tab.page.context.close()
        tab = await start()
        await tab.main()
        message = await tab.js("async id => (await WPP.chat.getMessageById(id)).body", sent["id"])
        assert message == "before the restart"
        await tab.page.context.close()
    await until(_away(sim, "4930777002"))


def _away(sim: Sim, phone: str) -> Callable[[], Awaitable[Any]]:
    async def away() -> Any:
        return [device for device in await sim.devices(phone) if device["state"] == "away"]

    return away


async def test_logging_out_on_the_page_ends_at_a_new_code_that_can_be_scanned(tab: Tab, sim: Sim) -> None:
    await tab.link("4930777003")
    assert await tab.js("WPP.conn.logout()") is True
    code = await tab.code()
    assert [device["state"] for device in await sim.devices("4930777003")] == ["logged_out"]
    assert await tab.js("WPP.conn.isAuthenticated()") is False
    beginning = code[:14]  # enough for people, who type it
    await sim.do("POST", "web/scan", {"code": beginning, "phone": "4930777003"})
    await tab.main()


async def test_logging_out_on_the_phone_tells_the_page_and_its_code_comes_back(tab: Tab, sim: Sim) -> None:
    await tab.link("4930777004")
    await tab.page.evaluate(
        "() => { for (const name of ['conn.logout', 'conn.logout_reason'])"
        " WPP.on(name, value => sessionStorage.setItem(name, String(value))); }"
    )
    (device,) = await sim.devices("4930777004")
    await sim.do("DELETE", f"web/devices/{device['id']}")
    await tab.code()
    assert await tab.js("sessionStorage['conn.logout_reason']") == "user_initiated"
    assert await tab.js("'conn.logout' in sessionStorage")


async def test_a_page_logged_out_while_it_was_away_finds_out(tab: Tab, sim: Sim) -> None:
    await tab.link("4930777005")
    await tab.page.goto("about:blank")
    await until(_away(sim, "4930777005"))
    await sim.do("PUT", "web/faults", {"kind": "logout", "phone": "4930777005"})
    await tab.page.goto(f"{sim.url}/web/")
    await tab.code()


async def test_two_phones_and_two_pages_of_one_phone_live_side_by_side(
    new_tab: Callable[..., Awaitable[Tab]], sim: Sim
) -> None:
    one, two, other = await new_tab(), await new_tab(), await new_tab()
    for tab, phone in ((one, "4930777006"), (two, "4930777006"), (other, "4930777007")):
        await tab.link(phone)
    sent = await one.send("4915112340002", "from the first page")
    got = await two.event("chat.new_message", lambda message: message["body"] == "from the first page")
    assert got["id"]["_serialized"] == sent["id"]
    assert await other.events("chat.new_message") == []
    assert [device["state"] for device in await sim.devices("4930777006")] == ["online", "online"]


async def test_a_second_tab_of_the_same_profile_takes_over_and_gives_back(
    new_tab: Callable[..., Awaitable[Tab]], sim: Sim
) -> None:
    first = await new_tab()
    await first.link("4930777008")
    second = await new_tab(first.page.context)
    await second.main()
    await first.event("conn.stream_mode_changed", lambda mode: mode == "CONFLICT")
    assert (await sim.devices("4930777008"))[0]["pages"] == 2
    await first.js("WPP.whatsapp.Socket.takeover()")
    await first.main()
    await second.event("conn.stream_mode_changed", lambda mode: mode == "CONFLICT")
