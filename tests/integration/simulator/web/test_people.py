"""What people do by hand: link a page from a phone's own page, and see what is written."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Browser

from .conftest import Sim, Tab, until

PHONE = "493066600001"
CUSTOMER = "4915166600001"


async def test_a_phone_page_links_a_waiting_page_and_logs_it_out(
    new_tab: Callable[..., Awaitable[Tab]], browser: Browser, sim: Sim
) -> None:
    tab = await new_tab()
    phone = await browser.new_page()
    await phone.goto(f"{sim.url}/phones/{PHONE}")
    await phone.click("#devices")
    await phone.click("dialog button:has-text('Scan')")
    await tab.main()
    await phone.click("dialog button:has-text('Log out')")
    code = await tab.js("phone => WPP.conn.genLinkDeviceCodeForPhoneNumber(phone)", PHONE) if await tab.code() else ""
    assert await tab.page.text_content(".typed", timeout=3000) == f"{code[:4]}-{code[4:]}"
    await phone.fill("dialog input[placeholder='ABCD-EFGH']", code)
    await phone.press("dialog input[placeholder='ABCD-EFGH']", "Enter")
    await tab.main()
    await phone.context.close()


async def test_both_sides_of_a_chat_show_it(new_tab: Callable[..., Awaitable[Tab]], browser: Browser, sim: Sim) -> None:
    tab = await new_tab()
    assert await tab.page.get_attribute(".qr img", "data-code", timeout=3000) == await tab.code()
    await tab.link(PHONE)
    customer = await browser.new_page()
    await customer.goto(f"{sim.url}/phones/{CUSTOMER}")
    sent = await tab.send(CUSTOMER, "see you at *nine*")
    await customer.wait_for_selector(".bubble.business b")
    await customer.fill("#text", "at nine")
    await customer.press("#text", "Enter")
    await tab.event("chat.new_message", lambda message: message["body"] == "at nine")

    async def shown() -> bool:
        return "at nine" in (await tab.page.text_content("li.chat .last") or "")

    await until(shown)
    await tab.js("id => WPP.chat.editMessage(id, 'see you at ten', {linkPreview: false})", sent["id"])
    await customer.wait_for_selector(".bubble.business:has-text('at ten'):has-text('Edited')")
    await tab.js(
        "([chat, id]) => WPP.chat.deleteMessage(chat, id, false, true)", [await tab.chat(CUSTOMER), sent["id"]]
    )
    await customer.wait_for_selector(".bubble.business .gone")
    await customer.context.close()
