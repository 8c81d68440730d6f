"""What goes wrong on request, and how a page comes out of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from .conftest import Sim, Tab, until


async def test_a_conflict_stops_the_page_until_it_takes_over_again(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/faults", {"kind": "conflict", "phone": linked.phone})
    await linked.event("conn.stream_mode_changed", lambda mode: mode == "CONFLICT")
    assert (await sim.devices(linked.phone))[0]["state"] == "away"
    written = await sim.write("4915142345001", {"text": "meanwhile", "to": linked.phone})
    await linked.js("WPP.whatsapp.Stream.takeover()")
    await linked.main()
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert (await sim.devices(linked.phone))[0]["state"] == "online"


async def test_an_offline_page_comes_back_by_itself(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/faults", {"kind": "offline", "phone": linked.phone, "seconds": 0.5})
    await linked.event("conn.stream_mode_changed", lambda mode: mode == "OFFLINE")
    await linked.event("conn.stream_info_changed", lambda info: info == "OFFLINE")
    written = await sim.write("4915142345002", {"text": "while offline", "to": linked.phone})
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    await linked.event("conn.online", lambda online: online is True)
    await linked.main()


async def test_a_browser_without_network_is_offline_too(linked: Tab, sim: Sim) -> None:
    await linked.page.context.set_offline(True)
    await linked.until("WPP.conn.getStreamData().mode === 'OFFLINE'")
    sent = await linked.send("4915142345002", "no network", waitForAck=False)
    assert await linked.ack(sent["id"]) == 0
    await linked.page.context.set_offline(False)
    await linked.until(f"WPP.chat.getMessageById('{sent['id']}').then(message => message.ack > 0)")


async def test_a_version_that_is_too_old_is_told_and_a_reload_helps(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/faults", {"kind": "deprecate", "phone": linked.phone})
    await linked.event("conn.stream_mode_changed", lambda mode: mode == "DEPRECATED_VERSION")
    await linked.event("conn.needs_update")
    assert await linked.js("WPP.conn.needsUpdate()") is True
    await linked.reload()
    await linked.main()


async def test_a_frozen_page_answers_when_it_thaws(linked: Tab, sim: Sim) -> None:
    started = time.monotonic()
    await sim.do("PUT", "web/faults", {"kind": "freeze", "phone": linked.phone, "seconds": 0.7})
    await until(lambda: _slow(linked))
    assert time.monotonic() - started < 5
    assert await linked.js("WPP.conn.getStreamData().mode") == "MAIN"


async def _slow(tab: Tab) -> bool:
    started = time.monotonic()
    await tab.js("1")
    return time.monotonic() - started > 0.3


async def test_garbage_breaks_nothing(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/faults", {"kind": "garbage", "phone": linked.phone, "count": 9})
    await linked.event("chat.new_message", lambda message: message["type"] == "ciphertext")
    written = await sim.write("4915142345003", {"text": "after the garbage", "to": linked.phone})
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert (await linked.send("4915142345003", "and back"))["ack"] == 1


async def test_a_broken_storage_is_told_at_every_load_until_the_profile_is_cleared(
    new_tab: Callable[..., Awaitable[Tab]], sim: Sim
) -> None:
    tab = await new_tab()
    (waiting,) = [d for d in await sim.devices() if d["code"] == await tab.code()]
    await sim.do("PUT", "web/faults", {"kind": "storage_error", "device": waiting["id"]})
    broken = lambda value: (value[0] if isinstance(value, list) else value) == "storage_initialization_error"  # noqa: E731
    await tab.event("conn.backend_event", broken)
    await tab.page.reload()
    await tab.event("conn.backend_event", broken)
    await tab.js("localStorage.clear()")
    await tab.page.reload()
    await tab.code()


async def test_a_crash_is_the_renderers_own_and_the_profile_survives_it(
    new_tab: Callable[..., Awaitable[Tab]], sim: Sim
) -> None:
    tab = await new_tab()
    await tab.link("493055500001")
    sent = await tab.send("4915142345004", "before the crash")
    await sim.do("PUT", "web/faults", {"kind": "crash", "phone": "493055500001"})
    await asyncio.wait_for(tab.crashed.wait(), 10)
    again = await new_tab(tab.page.context)
    await again.main()
    assert await again.ack(sent["id"]) >= 1


async def test_a_fault_that_hits_nobody_or_makes_no_sense_is_refused(sim: Sim) -> None:
    assert (await sim.control("PUT", "web/faults", {"kind": "logout", "phone": "493000000"}))[0] == 404
    assert (await sim.control("PUT", "web/faults", {"kind": "nonsense"}))[0] == 422
    assert (await sim.control("PUT", "web/faults", {"kind": "freeze"}))[0] == 422
    assert (await sim.control("DELETE", "web/faults?kind=offline"))[0] == 404
    assert await sim.do("GET", "web/faults") == {"faults": []}


async def test_a_reset_forgets_messages_and_keeps_pages_linked_unless_asked(linked: Tab, sim: Sim) -> None:
    await linked.send("4915142345005", "to be forgotten")
    await sim.do("POST", "reset", {})
    assert await sim.ledger() == []
    (device,) = await sim.devices(linked.phone)
    assert (device["state"], device["sends"]) == ("online", 0)
    sent = await linked.send("4915142345005", "after the reset")
    assert [entry["wamid"] for entry in await sim.ledger()] == [sent["id"]]
    await sim.do("POST", "reset", {"web": True})
    await linked.code()
    assert [device["state"] for device in await sim.devices()] == ["waiting"]
