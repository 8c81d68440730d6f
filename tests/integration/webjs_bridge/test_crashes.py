"""Killed at any point, the bridge sends each message once, loses none, and tells what became of it."""

import asyncio
import os
import random
import signal
from collections import Counter

import psutil
import pytest
from blazz_contracts.events import SessionSend

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until

CUSTOMER = "49151888{:05d}"


def commands(world: World, session_id: object, count: int, said: str) -> list[SessionSend]:
    """So many sends, each to a person of its own."""
    return [
        world.chat.command(world.workspace_id, session_id, CUSTOMER.format(n), f"{said} {n}")  # type: ignore[arg-type]
        for n in range(count)
    ]


async def once_each(world: World, sent: list[SessionSend], within: float = 60.0) -> None:
    """Wait until every send was told as sent; each is in the ledger once."""

    def all_told() -> bool:
        return all(set(world.chat.told(each)) & {"sent", "delivered", "read"} for each in sent)

    await until(all_told, within, what="a status of every send")
    said = Counter(entry["body"]["body"] for entry in await world.ledger() if entry["type"] == "text")
    assert {each.content.body: said[each.content.body] for each in sent} == {  # type: ignore[union-attr]
        each.content.body: 1  # type: ignore[union-attr]
        for each in sent
    }
    assert not [each for each in sent if "failed" in world.chat.told(each)]


@pytest.mark.parametrize("point", ["bridge.journalled:3", "bridge.answered:3", "bridge.before_ack:3"])
async def test_killed_at_a_named_point_every_message_arrives_once(idle_world: World, point: str) -> None:
    world = idle_world
    service = await world.start()
    session_id = await world.linked(f"49151{random.randrange(10**7, 10**8)}")
    await world.stop(service)
    sent = commands(world, session_id, 10, point)

    async with world.chat.handing_over(sent):
        killed = await world.process(BLAZZ_CRASH_POINT=point)
        assert await asyncio.wait_for(killed.wait(), 60) == -signal.SIGKILL
        await world.start()
        await once_each(world, sent)


async def test_another_instance_takes_over_when_the_owner_is_killed(idle_world: World) -> None:
    world = idle_world
    first = await world.start(webjs_bridge_capacity=1)
    session_id = await world.linked("4915160000001")
    await world.stop(first)
    owner = await world.process(BLAZZ_INSTANCE="owner")
    await world.start(instance="heir", webjs_bridge_capacity=0)

    async def owned() -> bool:
        return (await world.session(session_id))["instance"] == "owner"

    await until(owned, 30)
    await world.until_state(session_id, "ready")
    heir = await world.start(instance="heir-2")
    owner.kill()
    await owner.wait()
    sent = commands(world, session_id, 5, "after the owner")
    async with world.chat.handing_over(sent):
        await once_each(world, sent)
    assert (await world.session(session_id))["instance"] == "heir-2"
    await world.stop(heir)


async def test_a_killed_browser_is_opened_again_and_nothing_is_lost(world: World) -> None:
    session_id = await world.linked("4915160000002")
    sent = commands(world, session_id, 30, "before and after")
    async with world.chat.handing_over(sent):
        await until(lambda: any(world.chat.told(each) for each in sent))
        for process in _browsers(str(session_id)):
            process.kill()
        await world.customer(CUSTOMER.format(1), text="While you were gone", to="4915160000002")
        await world.until_state(session_id, "offline")
        await world.until_state(session_id, "ready")
        await once_each(world, sent)
    await world.chat.until_written("While you were gone")


@pytest.mark.timeout(300)
async def test_killed_again_and_again_at_random_every_message_arrives_once(idle_world: World) -> None:
    world, chance = idle_world, random.Random(20261124)
    service = await world.start()
    session_id = await world.linked("4915160000003")
    await world.stop(service)
    sent = commands(world, session_id, 100, "chaos")
    async with world.chat.handing_over(sent):
        for _ in range(3):
            process = await world.process()
            seen = len(await world.ledger())
            await until(lambda seen=seen: _grown(world, seen), 60)
            await asyncio.sleep(chance.uniform(0, 0.3))  # the moment is the chance, nothing is waited for
            process.kill()
            await process.wait()
        await world.start()
        await once_each(world, sent, within=120)


async def _grown(world: World, seen: int) -> bool:
    return len(await world.ledger()) > seen + 5


def _browsers(session_id: str) -> list[psutil.Process]:
    """Main processes of the browsers that show this session."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(session_id in word for word in words) and not any("--type=" in word for word in words):
            found.append(process)
    assert found, "no browser runs"
    return found


async def test_a_driver_that_dies_takes_its_browsers_along_and_all_are_opened_again(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_capacity=0)
    instance = await idle_world.process()
    linked = [await idle_world.linked(f"491516100000{n}") for n in range(2)]
    (driver,) = [each for each in psutil.Process(instance.pid).children() if "run-driver" in each.cmdline()]
    driver.kill()
    for each in linked:
        await idle_world.until_state(each, "offline")
    for each in linked:
        await idle_world.until_state(each, "ready")


async def test_a_revoke_survives_a_kill(idle_world: World) -> None:
    world, phone, customer = idle_world, "4915160000007", CUSTOMER.format(77)
    service = await world.start()
    session_id = await world.linked(phone)
    await world.stop(service)
    idle = await world.start(webjs_bridge_capacity=0)
    owner = await world.process()

    async def owned() -> bool:
        seen = await world.session(session_id)
        return seen["state"] == "ready" and seen["instance"] is not None

    await until(owned, 30)
    written = [await world.customer(customer, text=f"Written {n}", to=phone) for n in range(2)]
    for n in range(2):
        await world.chat.until_written(f"Written {n}")
    os.kill(owner.pid, signal.SIGSTOP)
    await world.customer(customer, f"messages/{written[0]['id']}/revoke")
    await world.customer(customer, f"messages/{written[1]['id']}/edit", text="Written anew")
    await until(lambda: world.page_has_all(phone))  # and its bridge has heard of none of it
    owner.kill()
    await owner.wait()
    await world.start()

    def told(kind: str) -> list[str]:
        return [each["content"]["message_id"] for each in world.chat.messages if each["type"] == kind]

    await until(lambda: written[0]["id"] in told("revoke") and written[1]["id"] in told("edit"), 40)
    await world.stop(idle)


async def test_a_reaction_survives_a_kill(idle_world: World) -> None:
    world, phone, customer = idle_world, "4915160000008", CUSTOMER.format(78)
    service = await world.start()
    session_id = await world.linked(phone)
    await world.stop(service)
    await world.start(webjs_bridge_capacity=0)
    owner = await world.process()

    async def owned() -> bool:
        seen = await world.session(session_id)
        return seen["state"] == "ready" and seen["instance"] is not None

    await until(owned, 30)
    await world.customer(customer, text="Written before", to=phone)
    written = (await world.chat.until_written("Written before"))["provider_message_id"]
    os.kill(owner.pid, signal.SIGSTOP)
    await world.customer(customer, type="reaction", reaction={"message_id": written, "emoji": "❤️"}, to=phone)
    await until(lambda: world.page_has_all(phone))  # and its bridge has heard of none of it
    owner.kill()
    await owner.wait()
    await world.start()

    def told() -> list[dict[str, object]]:
        return [each["content"] for each in world.chat.messages if each["type"] == "reaction"]

    await until(told, 40)
    assert {"message_id": written, "emoji": "❤️"} in told()
