"""What customers, and the account's owner on the phone, do: each is told once, in the bridge's words."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from blazz_simulator.phones.samples import SAMPLES
from blazz_webjs_bridge.page.calls import Download, RejectCall, State
from blazz_webjs_bridge.page.errors import PageRefused
from blazz_webjs_bridge.page.facts import Alive, Arrived, Called, Edited, Reacted, Revoked
from blazz_webjs_bridge.page.words import WebMessage

from tests.integration.webjs_bridge.page.conftest import Driven
from tests.support.polling import until

CARD = [{"name": {"formatted_name": "Ada", "first_name": "Ada"}, "phones": [{"phone": "+49 30 1", "wa_id": "49301"}]}]


async def arrives(linked: Driven, key: str) -> WebMessage:
    return (await linked.hears(Arrived, lambda fact: fact.message.id == key)).message


async def test_a_text_arrives_with_who_wrote_it_under_both_ids(linked: Driven) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, text="hi 👋🏽", name="Zoë")
    message = await arrives(linked, key)
    assert (message.type, message.raw_type, message.text) == ("text", "chat", "hi 👋🏽")
    assert (message.from_me, message.ours, message.group, message.ack) == (False, False, None, None)
    assert (message.person.phone, message.person.lid) == (person.phone, person.lid)
    assert (message.person.chat, message.person.name) == (person.chat, "Zoë")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_a_file_arrives_and_is_brought_onto_this_machine(linked: Driven, kind: str) -> None:
    person = await linked.somebody()
    caption = {"caption": "see"} if kind == "image" else {}
    key = await linked.sim.writes(person.phone or "", linked.phone, **{kind: caption})
    message = await arrives(linked, key)
    mime_type, data = SAMPLES[kind]
    assert message.file is not None
    assert (message.type, message.text) == (kind, caption.get("caption"))
    assert message.file.mime_type == mime_type.split(";")[0]
    assert message.file.size == len(data)

    path = await linked.call(Download(id=key, limit=1_000_000))

    assert path.read_bytes() == data
    path.unlink()


async def test_a_file_that_is_larger_than_the_limit_is_not_brought(linked: Driven) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, image={})
    await arrives(linked, key)
    with pytest.raises(PageRefused) as refused:
        await linked.call(Download(id=key, limit=10))
    assert refused.value.reason == "file_too_large"


async def test_several_files_are_brought_at_once(linked: Driven) -> None:
    person = await linked.somebody()
    keys = [await linked.sim.writes(person.phone or "", linked.phone, document={}) for _ in range(4)]
    for key in keys:
        await arrives(linked, key)
    paths = await asyncio.gather(*(linked.call(Download(id=key, limit=1_000_000)) for key in keys))
    assert len({path.read_bytes() for path in paths}) == 1
    assert len(set(paths)) == 4


async def test_a_message_without_a_file_has_none_to_bring(linked: Driven) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, text="nothing")
    await arrives(linked, key)
    with pytest.raises(PageRefused) as refused:
        await linked.call(Download(id=key, limit=10))
    assert refused.value.reason == "message_not_contains_media"


@pytest.mark.parametrize(
    ("written", "type_", "content"),
    [
        (
            {"location": {"latitude": 1.5, "longitude": 2.5, "name": "Here", "address": "Road 1"}},
            "location",
            {"latitude": 1.5, "longitude": 2.5, "name": "Here", "address": "Road 1"},
        ),
        ({"contacts": CARD}, "contacts", None),
        ({"unsupported": {}}, "unsupported", {}),
    ],
)
async def test_other_kinds_arrive_as_the_cloud_api_says_them(
    linked: Driven, written: dict[str, Any], type_: str, content: dict[str, Any] | None
) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, **written)
    message = await arrives(linked, key)
    assert message.type == type_
    if content is None:
        assert message.content["contacts"][0]["name"]["formatted_name"] == "Ada"
        assert message.content["contacts"][0]["phones"] == [{"phone": "+49 30 1", "wa_id": "49301"}]
        assert message.content["contacts"][0]["vcard"].startswith("BEGIN:VCARD")
    else:
        assert content.items() <= message.content.items()


async def test_a_reply_names_the_message_of_ours_that_it_answers(linked: Driven) -> None:
    person = await linked.somebody()
    sent = await linked.send(person.chat, text="a question")
    key = await linked.sim.writes(person.phone or "", linked.phone, text="an answer", context={"id": sent.id})
    assert (await arrives(linked, key)).quoted == sent.id


async def test_a_message_in_a_group_names_the_group_and_its_author(linked: Driven) -> None:
    person = await linked.somebody()
    made = {"phone": linked.phone, "subject": "Us", "members": [person.phone]}
    group = (await linked.sim.do("POST", "web/groups", made))["group"]["id"]
    key = await linked.sim.writes(person.phone or "", linked.phone, text="all", group=group)
    message = await arrives(linked, key)
    assert message.group == group
    assert (message.person.phone, message.person.lid) == (person.phone, person.lid)


async def test_what_the_owner_writes_on_the_phone_is_told_as_from_the_account_and_not_from_this_page(
    linked: Driven,
) -> None:
    person = await linked.somebody()
    answer = await linked.sim.do("POST", f"web/phones/{linked.phone}/messages", {"to": person.phone, "text": "by hand"})
    message = await arrives(linked, answer["id"])
    assert (message.from_me, message.ours, message.text) == (True, False, "by hand")
    assert message.person.phone == person.phone


async def test_an_edit_is_told_with_the_new_text(linked: Driven) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, text="frist")
    await arrives(linked, key)
    await linked.sim.do("POST", f"phones/{person.phone}/messages/{key}/edit", {"text": "first"})
    edited = await linked.hears(Edited, lambda fact: fact.id == key)
    assert edited.message.text == "first"


async def test_a_message_that_is_taken_back_is_told_by_its_id(linked: Driven) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, text="oops")
    await arrives(linked, key)
    await linked.sim.do("POST", f"phones/{person.phone}/messages/{key}/revoke")
    revoked = await linked.hears(Revoked, lambda fact: fact.id == key)
    assert (revoked.person.phone, revoked.from_me, revoked.group) == (person.phone, False, None)


async def test_a_reaction_names_its_message_and_taking_it_back_is_an_empty_one(linked: Driven) -> None:
    person = await linked.somebody()
    sent = await linked.send(person.chat, text="nice?")
    for emoji in ("❤️", ""):
        await linked.sim.writes(
            person.phone or "", linked.phone, type="reaction", reaction={"message_id": sent.id, "emoji": emoji}
        )
        reacted = await linked.hears(Reacted, lambda fact, emoji=emoji: (fact.target, fact.emoji) == (sent.id, emoji))
        assert (reacted.person.phone, reacted.from_me) == (person.phone, False)


async def test_a_call_is_told_and_can_be_refused(linked: Driven) -> None:
    person = await linked.somebody()
    await linked.sim.do("POST", f"phones/{person.phone}/calls", {"to": linked.phone, "video": True})
    called = await linked.hears(Called, lambda fact: fact.person.phone == person.phone)
    assert (called.video, called.group) == (True, False)
    await linked.call(RejectCall(id=called.id))


async def test_messages_arrive_in_the_order_they_were_written_and_once(linked: Driven) -> None:
    person = await linked.somebody()
    keys = [await linked.sim.writes(person.phone or "", linked.phone, text=f"number {n}") for n in range(20)]
    await arrives(linked, keys[-1])
    heard = [f.message.id for f in linked.facts(Arrived) if f.message.person.chat == person.chat]
    assert heard == keys


async def test_messages_that_make_no_sense_are_told_as_far_as_they_go_and_break_nothing(linked: Driven) -> None:
    before = len(linked.facts(Arrived))
    await linked.sim.fault("garbage", phone=linked.phone)
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, text="still here")

    await arrives(linked, key)

    odd = [fact.message for fact in linked.facts(Arrived)[before:] if fact.message.id != key]
    assert len(odd) >= 7
    assert {"text", "unsupported", "image", "contacts", "location"} >= {message.type for message in odd}
    assert any(message.raw_type == "a_type_of_next_year" for message in odd)
    assert linked.page.facts.unreadable == {}
    assert (await linked.call(State())).main_ready


async def test_the_page_has_a_heartbeat_of_its_own(linked: Driven) -> None:
    beats = len(linked.facts(Alive))
    await until(lambda: len(linked.facts(Alive)) >= beats + 2, within=4, what="two beats")
    last = linked.facts(Alive)[-1]
    assert (last.online, last.authenticated, last.mode) == (True, True, "MAIN")


async def test_downloads_leave_nothing_behind_but_what_was_asked_for(linked: Driven, tmp_path: Path) -> None:
    person = await linked.somebody()
    key = await linked.sim.writes(person.phone or "", linked.phone, image={})
    await arrives(linked, key)
    path = await linked.call(Download(id=key, limit=1_000_000))
    path.unlink()
    assert not list(path.parent.glob(f"{path.name}*"))
