"""What somebody sees who looks at a page."""

from playwright.async_api import expect

from .conftest import Sim, Tab

CUSTOMER = "4915188800001"


async def test_a_chat_that_is_clicked_is_shown_oldest_first_and_stays_unread(linked: Tab, sim: Sim) -> None:
    await linked.send(CUSTOMER, "Your order is ready")
    await sim.write(CUSTOMER, {"text": "Thank you", "to": linked.phone, "name": "Ada Khan"})
    row = linked.page.locator("li.chat", has_text="Thank you")
    await row.click()
    bubbles = linked.page.locator(".talk .bubble")
    await expect(bubbles).to_have_count(2)
    await expect(linked.page.locator(".talk .bubble.mine")).to_contain_text("Your order is ready")
    mine, theirs = await bubbles.last.bounding_box(), await bubbles.first.bounding_box()
    assert mine is not None
    assert theirs is not None
    assert mine["y"] < theirs["y"]
    await expect(row.locator(".unread")).to_have_text("1")
    await sim.write(CUSTOMER, {"text": "On my way", "to": linked.phone})
    await expect(bubbles.first).to_contain_text("On my way")


async def test_a_long_name_leaves_room_for_the_time_beside_it(linked: Tab, sim: Sim) -> None:
    await sim.write(CUSTOMER, {"text": "Hello", "to": linked.phone, "name": "Maximiliane Henriette " * 6})
    await linked.page.set_viewport_size({"width": 430, "height": 700})
    for address, name, time in (
        ("", "li.chat .middle b", "li.chat time"),
        (f"{sim.url}/phones/{linked.phone}", "#chats .row b", "#chats .row time"),
    ):
        if address:
            await linked.page.goto(address)
        await expect(linked.page.locator(time)).to_be_visible()
        left, right = [await linked.page.locator(part).bounding_box() for part in (name, time)]
        assert left is not None
        assert right is not None
        assert left["x"] + left["width"] <= right["x"]
        assert right["x"] + right["width"] <= 430
