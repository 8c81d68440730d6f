"""What customers, and the phone's owner, do: every page of the phone hears of it, now or when it is back."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from .conftest import Sim, Tab, until

CUSTOMER = "4915122345001"

KINDS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "text": ({"text": "hi"}, "chat", {"body": "hi"}),
    "image": ({"type": "image", "image": {"caption": "look"}}, "image", {"caption": "look", "mimetype": "image/png"}),
    "video": ({"type": "video"}, "video", {}),
    "voice": ({"type": "audio"}, "ptt", {}),
    "audio": ({"type": "audio", "audio": {"voice": False}}, "audio", {}),
    "document": ({"type": "document", "document": {"data": "JVBERi0=", "mime_type": "application/pdf",
                  "filename": "bill.pdf"}}, "document", {"filename": "bill.pdf", "size": 5}),
    "sticker": ({"type": "sticker"}, "sticker", {"mimetype": "image/webp"}),
    "location": ({"type": "location", "location": {"latitude": 1.5, "longitude": 2.5, "name": "There"}}, "location",
                 {"lat": 1.5, "lng": 2.5, "loc": "There"}),
    "contact": ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "+49"}]}]},
                "vcard", {"vcardFormattedName": "Bob"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
async def test_every_kind_a_customer_can_send_arrives(linked: Tab, sim: Sim, kind: str) -> None:
    data, type_, fields = KINDS[kind]
    written = await sim.write(CUSTOMER, {**data, "to": linked.phone, "name": "Ada Acar"})
    got = await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert got["type"] == type_
    assert {name: got[name] for name in fields} == fields
    chat = await linked.chat(CUSTOMER)
    assert (got["from"], got["id"]["remote"], got["id"]["fromMe"], got["notifyName"]) == (chat, chat, False, "Ada Acar")
    if type_ in ("image", "video", "ptt", "audio", "document", "sticker"):
        blob = await linked.js(
            "async id => { const b = await WPP.chat.downloadMedia(id); return [b.size, b.type]; }", written
        )
        assert blob[0] > 0
        assert blob[1] == got["mimetype"]


async def test_who_wrote_is_known_by_both_addresses_and_a_name(linked: Tab, sim: Sim) -> None:
    written = await sim.write("4915122345002", {"text": "hello", "to": linked.phone, "name": "New Name"})
    got = await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    entry = await linked.js("id => WPP.contact.getPnLidEntry(id)", got["from"])
    assert entry["phoneNumber"]["_serialized"] == "4915122345002@c.us"
    assert entry["contact"]["pushname"] == "New Name"
    assert await linked.js("async id => (await WPP.contact.get(id)).formattedShortName", got["from"]) == "New Name"


async def test_without_to_a_customer_answers_who_wrote_last(linked: Tab, sim: Sim) -> None:
    await linked.send("4915122345003", "ours")
    written = await sim.write("4915122345003", {"text": "an answer"})
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)


async def test_a_reply_names_what_it_answers(linked: Tab, sim: Sim) -> None:
    sent = await linked.send("4915122345004", "a question")
    written = await sim.write("4915122345004", {"text": "the answer", "context": {"id": sent["id"]}})
    got = await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert got["quotedStanzaID"] == sent["id"].split("_")[2]
    assert got["quotedParticipant"] == await linked.js("String(WPP.conn.getMyUserLid())")
    assert got["quotedMsg"]["body"] == "a question"


async def test_a_customer_edits_reacts_and_revokes(linked: Tab, sim: Sim) -> None:
    customer = "4915122345005"
    written = await sim.write(customer, {"text": "tpyo", "to": linked.phone})
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    await sim.do("POST", f"phones/{customer}/messages/{written}/edit", {"text": "typo"})
    edited = await linked.event("chat.msg_edited", lambda event: event["id"] == written)
    assert edited["msg"]["body"] == "typo"

    sent = await linked.send(customer, "ours")
    await sim.write(customer, {"type": "reaction", "reaction": {"message_id": sent["id"], "emoji": "❤️"}})
    reaction = await linked.event("chat.new_reaction", lambda event: event["msgId"]["_serialized"] == sent["id"])
    assert (reaction["reactionText"], reaction["sender"]) == ("❤️", await linked.chat(customer))

    await sim.do("POST", f"phones/{customer}/messages/{written}/revoke")
    revoked = await linked.event("chat.msg_revoke", lambda event: event["refId"]["_serialized"] == written)
    assert revoked["from"] == await linked.chat(customer)
    assert await linked.until(f"WPP.chat.getMessageById('{written}').then(m => m.type === 'revoked')")


async def test_changes_that_make_no_sense_are_refused(linked: Tab, sim: Sim) -> None:
    sent = await linked.send("4915122345006", "ours")
    path = f"phones/4915122345006/messages/{sent['id']}"
    assert (await sim.control("POST", f"{path}/edit", {"text": "x"}))[0] == 422
    assert (await sim.control("POST", "phones/4915122345006/messages/nothing/revoke"))[0] == 404
    assert (await sim.control("POST", "phones/4915122345006/messages", {"type": "button", "button": {"text": "x"}}))[
        0
    ] == 422


async def test_what_the_owner_writes_on_the_phone_arrives_as_own(linked: Tab, sim: Sim) -> None:
    customer = "4915122345007"
    path = f"web/phones/{linked.phone}/messages"
    written = (await sim.do("POST", path, {"to": customer, "text": "from the phone"}))["id"]
    got = await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert (got["id"]["fromMe"], got["to"]) == (True, await linked.chat(customer))
    (entry,) = await sim.ledger(customer)
    assert (entry["via"], entry["wamid"]) == ("phone", written)
    await linked.event("chat.msg_ack_change", lambda e: e["ack"] == 3 and e["ids"][0]["_serialized"] == written)
    await sim.do("POST", f"{path}/{written}/edit", {"text": "changed on the phone"})
    await linked.event("chat.msg_edited", lambda event: event["id"] == written)
    await sim.do("POST", f"{path}/{written}/revoke")
    await linked.event("chat.msg_revoke", lambda event: event["refId"]["_serialized"] == written)
    assert [entry["type"] for entry in await sim.ledger(customer)] == ["text", "edit", "revoke"]


async def test_what_happened_while_the_page_was_away_arrives_in_order(linked: Tab, sim: Sim) -> None:
    customer = "4915122345008"
    sent = await linked.send(customer, "before")
    await linked.page.goto("about:blank")
    written = [await sim.write(customer, {"text": f"missed {n}"}) for n in range(5)]
    (device,) = await sim.devices(linked.phone)
    assert device["state"] == "away"
    assert device["events_waiting"] >= 5
    await linked.page.goto(f"{sim.url}/web/")
    await linked.ready()
    await linked.main()
    chat = await linked.chat(customer)
    messages = await linked.js("async id => (await WPP.chat.getMessages(id, {count: 10})).map(m => String(m.id))", chat)
    assert messages == [sent["id"], *written]
    assert await linked.js("id => WPP.chat.get(id).unreadCount", chat) == 5
    assert await linked.ack(sent["id"]) == 3
    await until(lambda: _waiting_none(sim, linked.phone))


async def _waiting_none(sim: Sim, phone: str) -> bool:
    return (await sim.devices(phone))[0]["events_waiting"] == 0


async def test_messages_are_read_page_by_page_back_to_the_first(linked: Tab, sim: Sim) -> None:
    customer = "4915122345009"
    for number in range(30):
        await sim.write(customer, {"text": f"m{number}", "to": linked.phone})
    await linked.event("chat.new_message", lambda message: message["body"] == "m29")
    chat = await linked.chat(customer)
    newest = await linked.js(
        "async id => (await WPP.chat.getMessages(id, {count: 10})).map(m => [`${m.id}`, m.body])", chat
    )
    assert [body for _, body in newest] == [f"m{n}" for n in range(20, 30)]
    before = await linked.js(
        "async ([chat, id]) => (await WPP.chat.getMessages(chat, {count: 15, id})).map(message => message.body)",
        [chat, newest[0][0]],
    )
    assert before == [f"m{n}" for n in range(5, 20)]
    after = await linked.js(
        "async ([chat, id]) => (await WPP.chat.getMessages(chat, {count: 3, direction: 'after', id})).map(m => m.body)",
        [chat, newest[0][0]],
    )
    assert after == ["m21", "m22", "m23"]


async def test_a_new_page_gets_the_history_and_asks_for_what_is_older(
    linked: Tab, sim: Sim, new_tab: Callable[..., Awaitable[Tab]]
) -> None:
    customer = "4915122345010"
    written = [await sim.write(customer, {"text": f"old {n}", "to": linked.phone}) for n in range(25)]
    tab = await new_tab()
    await tab.link(linked.phone)
    chat = await tab.until(f"WPP.chat.get('{await linked.chat(customer)}')?.id.toString()")
    got = await tab.js("async id => (await WPP.chat.getMessages(id, {count: 25})).map(m => String(m.id))", chat)
    assert got == written
    first = await tab.js("async id => (await WPP.chat.getMessageById(id)).body", written[0])
    assert first == "old 0"
    assert await tab.events("chat.new_message") == []
    assert tab.errors == []


async def test_typing_is_seen_and_a_call_rings_until_it_is_rejected(linked: Tab, sim: Sim) -> None:
    customer = "4915122345011"
    chat = await linked.chat(customer)
    await sim.do("POST", f"phones/{customer}/presence", {"state": "composing", "to": linked.phone})
    typing = await linked.event("chat.presence_change", lambda event: event["id"] == chat)
    assert (typing["state"], typing["isOnline"], typing["isUser"]) == ("typing", True, True)
    call = (await sim.do("POST", f"phones/{customer}/calls", {"to": linked.phone, "video": True}))["call"]
    ringing = await linked.event("call.incoming_call", lambda event: event["id"] == call["id"])
    assert (ringing["sender"], ringing["isVideo"], ringing["isGroup"]) == (chat, True, False)
    assert await linked.js("id => WPP.call.reject(id)", call["id"]) is True
    assert [c["state"] for c in (await sim.do("GET", f"phones/{customer}/calls"))["calls"]] == ["rejected"]


async def test_a_group_is_known_written_to_and_written_in(linked: Tab, sim: Sim) -> None:
    members = ["4915122345012", "4915122345013"]
    group = (await sim.do("POST", "web/groups", {"phone": linked.phone, "subject": "Team", "members": members}))[
        "group"
    ]
    await linked.until(f"WPP.chat.get('{group['id']}')")
    listed = await linked.js(
        "async () => (await WPP.group.getAllGroups()).map(chat => [String(chat.id), chat.formattedTitle])"
    )
    assert [group["id"], "Team"] in listed
    unknown = await linked.js("WPP.chat.find('120363000000000000@g.us').catch(error => error.message)")
    assert unknown == "The server refused: 404"
    people = await linked.js("async id => (await WPP.group.getParticipants(id)).map(p => String(p.id))", group["id"])
    assert len(people) == 3
    assert await linked.js("id => WPP.group.iAmAdmin(id)", group["id"]) is True
    sent = await linked.js(
        "async id => WPP.chat.sendTextMessage(id, 'to all', {linkPreview: false, markIsRead: false})", group["id"]
    )
    assert [(e["wamid"], e["via"]) for e in await sim.ledger(group["id"])] == [(sent["id"], "web")]
    for member in members:
        assert (await sim.do("GET", f"phones/{member}/messages"))["messages"][-1]["text"]["body"] == "to all"
    await until(lambda: _read(linked, sent["id"]))
    written = await sim.write(members[0], {"text": "from a member", "to": linked.phone, "group": group["id"]})
    got = await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert (got["from"], got["author"]) == (group["id"], await linked.chat(members[0]))
    assert (
        await sim.control(
            "POST", "phones/4915122345099/messages", {"text": "x", "to": linked.phone, "group": group["id"]}
        )
    )[0] == 404


async def _read(tab: Tab, message_id: str) -> bool:
    return await tab.ack(message_id) == 3


async def test_encrypted_messages_are_told_twice_and_readable_the_second_time(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/settings", {"ciphertext": 1})
    written = await sim.write("4915122345014", {"text": "a secret", "to": linked.phone})
    mine = lambda message: message["id"]["_serialized"] == written  # noqa: E731
    await linked.event("chat.new_message", lambda message: mine(message) and message["type"] == "chat")
    told = [message for message in await linked.events("chat.new_message") if mine(message)]
    assert len(told) == 2
    assert told[-1]["body"] == "a secret"
    await sim.do("PUT", "web/settings", {})


async def test_a_message_from_one_linked_phone_to_another_arrives_there(
    linked: Tab, sim: Sim, new_tab: Callable[..., Awaitable[Tab]]
) -> None:
    other = await new_tab()
    await other.link("493012345679")
    sent = await linked.send("493012345679", "between businesses")
    got = await other.event("chat.new_message", lambda message: message["body"] == "between businesses")
    assert got["id"]["id"] == sent["id"].split("_")[2]
    assert got["from"] == await linked.js("String(WPP.conn.getMyUserLid())")


async def test_nothing_that_arrives_makes_wa_js_complain(linked: Tab) -> None:
    assert [error for error in linked.errors if "404" not in error] == []
