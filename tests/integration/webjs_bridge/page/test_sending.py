"""Messages of ours, of every kind, under ids that we chose."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from blazz_simulator.phones.samples import SAMPLES
from blazz_webjs_bridge.page.calls import FindMessage, FindPerson, Send, Typing
from blazz_webjs_bridge.page.errors import PageRefused, PageTimeout
from blazz_webjs_bridge.page.facts import AckChanged, Arrived, Edited

from tests.integration.webjs_bridge.page.conftest import Driven, Open, Sim
from tests.support.polling import until


async def received(sim: Sim, phone: str, key: str) -> dict[str, Any]:
    """What the customer's phone got, as the ledger has it."""

    async def entry() -> dict[str, Any] | None:
        return next((each for each in await sim.ledger(phone) if each["wamid"] == key), None)

    found: dict[str, Any] = await until(entry, what="the message")
    return found


def file(folder: Path, kind: str) -> dict[str, Any]:
    mime_type, data = SAMPLES[kind]
    path = folder / f"sample-{kind}"
    path.write_bytes(data)
    return {"type": kind, "path": path, "mime_type": mime_type, "filename": f"a {kind}"}


async def test_a_text_is_sent_under_the_id_we_chose_and_its_ticks_are_told(linked: Driven) -> None:
    person = await linked.somebody()
    key = linked.key(person.chat)

    sent = await linked.send(person.chat, id=key, text="hello")

    assert (sent.id, sent.ack >= 1) == (key, True)
    for ack in (1, 2, 3):
        await linked.hears(AckChanged, lambda fact, ack=ack: key in fact.ids and fact.ack == ack)
    own = await linked.hears(Arrived, lambda fact: fact.message.id == key)
    assert (own.message.from_me, own.message.ours, own.message.text) == (True, True, "hello")
    assert own.message.person.phone == person.phone
    entry = await received(linked.sim, person.phone or "", key)
    assert (entry["via"], entry["type"]) == ("web", "text")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_a_file_reaches_the_customer_as_what_it_is(linked: Driven, tmp_path: Path, kind: str) -> None:
    person = await linked.somebody()
    key = linked.key(person.chat)
    caption = {"text": "look"} if kind in ("image", "video", "document") else {}

    sent = await linked.send(person.chat, id=key, **file(tmp_path, kind), **caption)

    assert (sent.id, sent.ack >= 1) == (key, True)
    assert (await received(linked.sim, person.phone or "", key))["type"] == kind
    own = (await linked.hears(Arrived, lambda fact: fact.message.id == key)).message
    assert own.type == kind
    assert own.text == caption.get("text")
    assert own.file is not None
    if kind == "document":
        assert own.file.filename == "a document"


async def test_a_voice_message_is_one(linked: Driven, tmp_path: Path) -> None:
    person = await linked.somebody()
    key = linked.key(person.chat)
    await linked.send(person.chat, id=key, **file(tmp_path, "audio"), voice=True)
    own = (await linked.hears(Arrived, lambda fact: fact.message.id == key)).message
    assert own.file is not None
    assert own.file.voice


async def test_a_large_file_goes_by_reference(linked: Driven, tmp_path: Path) -> None:
    person = await linked.somebody()
    path = tmp_path / "large.bin"
    path.write_bytes(b"blazz" * 8_000_000)
    sent = await linked.send(person.chat, type="document", path=path, filename="large.bin", mime_type="application/zip")
    assert sent.ack >= 1


async def test_a_file_that_is_too_large_is_refused_before_the_page_sees_it(linked: Driven, tmp_path: Path) -> None:
    path = tmp_path / "huge.bin"
    with path.open("wb") as huge:
        huge.truncate(100_000_001)
    with pytest.raises(PageRefused) as refused:
        await linked.send((await linked.somebody()).chat, type="document", path=path)
    assert refused.value.reason == "file_too_large"


async def test_a_location_and_contact_cards_arrive_whole(linked: Driven) -> None:
    person = await linked.somebody()
    place = {"latitude": 52.5, "longitude": 13.4, "name": "Blazz", "address": "Street 1"}
    key = linked.key(person.chat)
    await linked.send(person.chat, id=key, type="location", content=place)
    own = (await linked.hears(Arrived, lambda fact: fact.message.id == key)).message
    assert {name: own.content[name] for name in place} == place

    one = {"name": {"formatted_name": "Ada; Lovelace"}, "phones": [{"phone": "+4930123", "wa_id": "4930123"}]}
    for contacts in ([one], [one, {"name": {"formatted_name": "Grace"}, "phones": [{"phone": "+1555"}]}]):
        key = linked.key(person.chat)
        await linked.send(person.chat, id=key, type="contacts", content={"contacts": contacts})
        own = (await linked.hears(Arrived, lambda fact, key=key: fact.message.id == key)).message
        assert own.type == "contacts"
        assert [card["name"]["formatted_name"] for card in own.content["contacts"]] == [
            card["name"]["formatted_name"] for card in contacts
        ]
        assert own.content["contacts"][0]["phones"] == one["phones"]


async def test_a_reply_names_the_message_it_answers(linked: Driven) -> None:
    person = await linked.somebody()
    asked = await linked.sim.writes(person.phone or "", linked.phone, text="how much?")
    await linked.hears(Arrived, lambda fact: fact.message.id == asked)
    key = linked.key(person.chat)

    await linked.send(person.chat, id=key, text="12", quoted=asked)

    assert (await linked.hears(Arrived, lambda fact: fact.message.id == key)).message.quoted == asked


async def test_a_reaction_is_put_on_a_message_and_taken_back(linked: Driven) -> None:
    person = await linked.somebody()
    asked = await linked.sim.writes(person.phone or "", linked.phone, text="good?")
    await linked.hears(Arrived, lambda fact: fact.message.id == asked)
    for emoji in ("👍", ""):
        sent = await linked.send(person.chat, type="reaction", target=asked, emoji=emoji)
        assert sent.ack == 1


async def test_people_named_in_a_group_are_mentioned(linked: Driven, sim: Sim) -> None:
    person = await linked.somebody()
    made = {"phone": linked.phone, "subject": "Us", "members": [person.phone]}
    group = (await sim.do("POST", "web/groups", made))["group"]["id"]
    key = f"true_{group}_3EB0AABBCCDD00112233"

    sent = await linked.send(group, id=key, text=f"ask @{person.phone}", mentions=[person.phone])

    own = (await linked.hears(Arrived, lambda fact: fact.message.group == group)).message
    assert own.text == f"ask @{person.lid}"
    assert (own.from_me, own.id) == (True, sent.id)
    await linked.hears(AckChanged, lambda fact: sent.id in fact.ids and fact.ack >= 2)


async def test_a_message_of_ours_is_found_by_its_id_and_one_that_is_not_there_is_not(linked: Driven) -> None:
    person = await linked.somebody()
    assert await linked.call(FindMessage(id=linked.key(person.chat))) is None
    sent = await linked.send(person.chat, text="remember")
    found = await linked.call(FindMessage(id=sent.id))
    assert found is not None
    assert (found.id, found.ack >= 1) == (sent.id, True)
    assert await linked.call(FindMessage(id="true_4900000000000@c.us_3EB0FFFF")) is None


async def test_an_id_that_is_asked_for_twice_is_sent_once(linked: Driven) -> None:
    person = await linked.somebody()
    key = linked.key(person.chat)
    await asyncio.gather(*(linked.send(person.chat, id=key, text="once") for _ in range(2)))
    await received(linked.sim, person.phone or "", key)
    assert len(await linked.sim.ledger(person.phone or "")) == 1


async def test_a_message_that_nobody_took_yet_is_answered_with_ack_0(linked: Driven, mended: None) -> None:
    person = await linked.somebody()
    await linked.sim.fault("drop_ack", phone=linked.phone, count=1, seconds=4)
    sent = await linked.send(person.chat, text="wait", within=3)
    assert sent.ack == 0
    await linked.hears(AckChanged, lambda fact: sent.id in fact.ids and fact.ack >= 1)


async def test_a_message_that_whatsapp_refuses_is_refused(linked: Driven, mended: None) -> None:
    person = await linked.somebody()
    await linked.sim.fault("refuse", phone=linked.phone, count=1)
    with pytest.raises(PageRefused) as refused:
        await linked.send(person.chat, text="no")
    assert refused.value.reason == "send_failed"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"chat": "nobody"}, "chat_invalid"),
        ({"id": "true_1@c.us_3EB0AA"}, "message_key_remote_id_is_not_same_of_chat"),
        ({"quoted": "false_1@c.us_3EB0AA"}, "chat_not_found"),
        ({"type": "hologram"}, "type_unknown"),
    ],
)
async def test_a_send_that_makes_no_sense_is_refused_by_name(linked: Driven, what: dict[str, Any], reason: str) -> None:
    chat = (await linked.somebody()).chat
    with pytest.raises(PageRefused) as refused:
        await linked.call(Send(**{"chat": chat, "id": linked.key(chat), "type": "text", "text": "?", **what}))
    assert refused.value.reason == reason


async def test_a_number_that_is_not_on_whatsapp_is_nobody(linked: Driven) -> None:
    assert await linked.call(FindPerson(phone="999123456789")) is None


async def test_a_person_is_the_same_by_number_and_by_hidden_id(linked: Driven) -> None:
    person = await linked.somebody()
    assert (person.phone, person.chat) == (person.phone, f"{person.lid}@lid")
    assert await linked.call(FindPerson(lid=person.lid)) == person


async def test_typing_is_shown(linked: Driven) -> None:
    person = await linked.somebody()
    await linked.call(Typing(chat=person.chat, seconds=0.1))


async def test_ten_messages_at_once_all_arrive(linked: Driven) -> None:
    people = await asyncio.gather(*(linked.somebody() for _ in range(10)))
    sent = await asyncio.gather(*(linked.send(person.chat, text="all") for person in people))
    assert all(each.ack >= 1 for each in sent)
    assert linked.facts(Edited) == []


async def test_a_file_that_is_long_in_preparation_is_handed_to_wa_js_once(open_page: Open, tmp_path: Path) -> None:
    async with open_page() as driven:
        await driven.link()
        person = await driven.somebody()
        key, long = driven.key(person.chat), file(tmp_path, "document")
        page = driven.page._page
        await page.evaluate(
            """() => {
                window.handed = 0;
                const data = WPP.whatsapp.OpaqueData; // what wa-js first makes of a file
                const real = data.createFromData.bind(data);
                const gate = new Promise(resolve => { window.prepared = resolve; });
                data.createFromData = async (...all) => {
                    window.handed += 1;
                    await gate;
                    return real(...all);
                };
            }"""
        )
        for _ in range(2):
            with pytest.raises(PageTimeout):
                await driven.send(person.chat, id=key, within=3, **long)
        assert await page.evaluate("window.handed") == 1

        await page.evaluate("window.prepared()")
        await received(driven.sim, person.phone or "", key)
        assert (await driven.send(person.chat, id=key, **long)).ack >= 1
