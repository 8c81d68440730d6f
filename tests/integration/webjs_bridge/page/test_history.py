"""What came while nobody looked."""

import time
from pathlib import Path

from blazz_webjs_bridge.page.calls import History
from blazz_webjs_bridge.page.facts import Arrived, Edited, Reacted, Ready, Revoked
from blazz_webjs_bridge.page.words import WebMessage

from tests.integration.webjs_bridge.page.conftest import Driven, Open
from tests.support.polling import until


async def test_messages_that_came_while_the_page_was_closed_are_in_the_history_oldest_first(
    open_page: Open, tmp_path: Path
) -> None:
    async with open_page(tmp_path / "profile") as first:
        await first.link()
        people = [await first.somebody() for _ in range(2)]
        earlier = await first.sim.writes(people[0].phone or "", first.phone, text="before")
        await first.hears(Arrived, lambda fact: fact.message.id == earlier)
    since = int(time.time())
    keys = [
        await first.sim.writes(people[number % 2].phone or "", first.phone, text=f"meanwhile {number}")
        for number in range(6)
    ]

    async with open_page(tmp_path / "profile", phone=first.phone) as second:
        await second.hears(Ready)
        history = await second.call(History(since=since))

    heard = [message.id for message in history if message.id in keys]
    assert sorted(heard) == sorted(keys)
    assert [message.at for message in history] == sorted(message.at for message in history)
    assert {message.text for message in history if message.id in keys} == {f"meanwhile {n}" for n in range(6)}


async def test_pages_of_the_history_are_cut_from_one_list(linked: Driven) -> None:
    person = await linked.somebody()
    since = int(time.time())
    keys = [await linked.sim.writes(person.phone or "", linked.phone, text=f"number {n}") for n in range(120)]
    await linked.hears(Arrived, lambda fact: fact.message.id == keys[-1])
    whole = await linked.call(History(since=since))
    paged: list[WebMessage] = []
    while page := await linked.call(History(since=since, limit=50, offset=len(paged))):
        paged.extend(page)
        await linked.sim.writes(person.phone or "", linked.phone, text="in between")
    assert {message.id for message in whole} >= set(keys)
    assert [message.id for message in paged][: len(whole)] == [message.id for message in whole]
    assert len({message.id for message in paged}) == len(paged)


async def test_groups_are_left_out_unless_they_are_asked_for(linked: Driven) -> None:
    person = await linked.somebody()
    made = {"phone": linked.phone, "subject": "Us", "members": [person.phone]}
    group = (await linked.sim.do("POST", "web/groups", made))["group"]["id"]
    since = int(time.time())
    key = await linked.sim.writes(person.phone or "", linked.phone, text="all", group=group)
    await linked.hears(Arrived, lambda fact: fact.message.id == key)
    assert key not in [message.id for message in await linked.call(History(since=since))]
    assert key in [message.id for message in await linked.call(History(since=since, groups=True))]


async def test_nothing_is_told_of_before_the_moment(linked: Driven) -> None:
    assert await linked.call(History(since=int(time.time()) + 60)) == []


async def test_corrections_of_older_messages_are_in_the_history(linked: Driven) -> None:
    person = await linked.somebody()
    keys = [await linked.sim.writes(person.phone or "", linked.phone, text=f"older {n}") for n in range(3)]
    await linked.hears(Arrived, lambda fact: fact.message.id == keys[-1])
    before = int(time.time()) - 60
    await until(lambda: time.time() >= before + 62)
    since = before + 62
    await linked.sim.do("POST", f"phones/{person.phone}/messages/{keys[0]}/edit", {"text": "newer"})
    await linked.sim.do("POST", f"phones/{person.phone}/messages/{keys[1]}/revoke", {})
    await linked.hears(Edited, lambda fact: fact.id == keys[0])
    await linked.hears(Revoked, lambda fact: fact.id == keys[1])

    told = {each.id: each for each in await linked.call(History(since=since, corrected_since=before))}

    assert (told[keys[0]].text, (told[keys[0]].edited_at or 0) >= since) == ("newer", True)
    assert told[keys[1]].raw_type == "revoked"
    assert keys[2] not in told
    assert not {*keys} & {each.id for each in await linked.call(History(since=since))}


async def test_what_others_put_on_messages_is_in_the_history_under_its_own_id(linked: Driven) -> None:
    person = await linked.somebody()
    sent = await linked.send(person.chat, text="Nice?")
    old = await linked.sim.writes(person.phone or "", linked.phone, text="of before")
    await linked.hears(Arrived, lambda fact: fact.message.id == old)
    before = int(time.time()) - 60
    await until(lambda: time.time() >= before + 62)
    since = before + 62
    ids = {}
    for target, emoji in ((sent.id, "❤️"), (old, "👍")):
        reaction = {"message_id": target, "emoji": emoji}
        await linked.sim.writes(person.phone or "", linked.phone, type="reaction", reaction=reaction)
        ids[target] = (await linked.hears(Reacted, lambda fact, target=target: fact.target == target)).id
    await linked.send(person.chat, type="reaction", target=old, emoji="🙏")

    told = {each.id: each for each in await linked.call(History(since=since, corrected_since=before))}

    for target, emoji in ((sent.id, "❤️"), (old, "👍")):
        (reaction_told,) = told[target].reactions  # and not the one that we have put there ourselves
        assert (reaction_told.id, reaction_told.emoji) == (ids[target], emoji)
        assert (reaction_told.person.phone, reaction_told.at >= since) == (person.phone, True)
    later = await linked.call(History(since=int(time.time()) + 60, corrected_since=before))
    assert not {sent.id, old} & {each.id for each in later}
