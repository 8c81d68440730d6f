"""The phone that pages are linked to, as its owner holds it: whose code waits, and all its chats."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from .conftest import Sim, Tab

PHONE, ADA, BEA = "493077700001", "4915177700001", "4915177700002"


@pytest.fixture
async def phone(browser: Browser, sim: Sim) -> AsyncIterator[Page]:
    """The phone's own page, in a window of its own."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{sim.url}/phones/{PHONE}")
    yield page
    await context.close()


async def test_a_code_says_whose_it_is_and_scanning_it_shows_the_phones_chats(
    new_tab: Callable[..., Awaitable[Tab]], phone: Page, sim: Sim
) -> None:
    tab = await new_tab()
    code = await tab.code()
    (waiting,) = [device for device in await sim.devices() if device["code"] == code]
    assert waiting["waiting_since"] is not None
    await phone.get_by_role("button", name="Devices").click()
    entry = phone.locator("dialog .device", has=phone.get_by_title(code))
    await expect(entry).to_contain_text(waiting["platform"])
    await expect(entry).to_contain_text(re.compile(r"Waits for \d+ (s|min), since \d"))
    await entry.get_by_role("button", name="Scan").click()
    await tab.main()
    await expect(phone.locator("dialog")).to_contain_text("online")
    await phone.mouse.click(5, 5)
    await expect(phone.locator("#chats")).to_contain_text("No chats yet")
    await expect(phone.locator("#state")).to_contain_text("1 linked device")


async def test_the_owner_reads_and_writes_all_chats_as_on_that_phone(
    new_tab: Callable[..., Awaitable[Tab]], phone: Page, sim: Sim
) -> None:
    tab = await new_tab()
    await tab.link(PHONE)
    sent = await tab.send(ADA, "Your order is ready")
    await sim.write(ADA, {"text": "I will come at five", "to": PHONE})
    await sim.write(ADA, {"type": "reaction", "reaction": {"message_id": sent["id"], "emoji": "❤️"}})
    await sim.write(BEA, {"text": "Are you open?", "to": PHONE, "name": "Bea Costa"})
    await phone.reload()
    rows = phone.locator("#chats .row")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Bea Costa")
    await expect(rows.first.locator(".badge")).to_have_text("1")
    await rows.nth(1).click()
    # The business's own messages are on the right, as everybody's own are.
    await expect(phone.locator("#chat .bubble.customer")).to_contain_text("Your order is ready")
    await expect(phone.locator("#chat .bubble.customer")).to_contain_text("❤️")
    await expect(phone.locator("#chat .bubble.business")).to_contain_text("I will come at five")
    await phone.locator("#text").fill("See you then")
    await phone.locator("#text").press("Enter")
    await expect(phone.locator("#chat .bubble.customer")).to_have_count(2)
    await tab.event("chat.new_message", lambda e: e["body"] == "See you then")
    assert (await sim.ledger(ADA))[-1]["body"] == {"body": "See you then"}
    (chat,) = [c for c in (await sim.do("GET", f"web/phones/{PHONE}/chats"))["chats"] if c["number"] == ADA]
    assert (chat["unread"], chat["id"]) == (0, sent["id"].split("_")[1])
    on_adas = (await sim.do("GET", f"phones/{ADA}/messages"))["messages"]
    assert [m["status"] for m in on_adas if (m["from"], m["type"]) == ("customer", "text")] == ["read"]
    await phone.locator("#back").click()
    await expect(rows.first).to_contain_text("See you then")


async def test_a_new_chat_is_begun_on_the_phone(new_tab: Callable[..., Awaitable[Tab]], phone: Page, sim: Sim) -> None:
    tab = await new_tab()
    await tab.link(PHONE)
    await sim.do("POST", "reset", {})
    await phone.reload()
    await phone.locator("#number").fill("+49 151 777 00003")
    await phone.locator("#number").press("Enter")
    await phone.locator("#text").fill("Hello from the phone")
    await phone.locator("#text").press("Enter")
    await expect(phone.locator("#chat .bubble.customer")).to_contain_text("Hello from the phone")
    await tab.event("chat.new_message", lambda e: e["body"] == "Hello from the phone")
    assert [entry["via"] for entry in await sim.ledger("4915177700003")] == ["phone"]


async def test_a_business_on_the_cloud_api_is_one_of_its_chats(
    new_tab: Callable[..., Awaitable[Tab]], phone: Page, sim: Sim
) -> None:
    tab = await new_tab()
    await tab.link(PHONE)
    await sim.do("POST", "reset", {})
    await sim.write(PHONE, {"text": "Do you deliver?", "to": "100000000000001"})
    await phone.reload()
    await phone.locator("#chats .row", has_text="Do you deliver?").click()
    await expect(phone.locator("#chat .bubble.customer")).to_contain_text("Do you deliver?")
    await phone.get_by_label("All phones").click()
    await expect(phone.locator("#chats .row")).to_have_count(1)


async def test_what_is_no_chat_of_the_phone_is_refused(sim: Sim) -> None:
    assert (await sim.control("GET", "web/phones/4915100000009/chats"))[0] == 404
    status, body = await sim.control("POST", f"web/phones/{PHONE}/read", {"chat": "1@lid"})
    assert (status, body["error"]["fields"]) == (404, {"chat": "unknown"})
