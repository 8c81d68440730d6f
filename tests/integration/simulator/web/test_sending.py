"""What a page sends: once, with the id it chose, and the ticks that follow."""

from typing import Any

import pytest

from .conftest import Sim, Tab, until

CUSTOMER = "4915112345001"


async def test_a_text_is_in_the_ledger_with_the_id_the_page_chose(linked: Tab, sim: Sim) -> None:
    sent = await linked.send(CUSTOMER, "Hello *you*", "3EB0A1B2C3D4E5F60001")
    chat = await linked.chat(CUSTOMER)
    assert sent["id"] == f"true_{chat}_3EB0A1B2C3D4E5F60001"
    assert (sent["ack"], sent["sendMsgResult"]["messageSendResult"]) == (1, "OK")
    (entry,) = await sim.ledger(CUSTOMER)
    assert entry.pop("at").endswith("+00:00")
    assert entry.pop("seq") > 0
    assert entry == {
        "wamid": sent["id"],
        "id": "3EB0A1B2C3D4E5F60001",
        "via": "web",
        "from": linked.phone,
        "phone_number_id": None,
        "to": CUSTOMER,
        "type": "text",
        "body": {"body": "Hello *you*"},
        "biz_opaque_callback_data": None,
    }
    messages = (await sim.do("GET", f"phones/{CUSTOMER}/messages"))["messages"]
    assert [(m["id"], m["via"], m["text"]["body"]) for m in messages] == [(sent["id"], "web", "Hello *you*")]


async def test_chats_are_hidden_addresses_and_both_addresses_are_known(linked: Tab, sim: Sim) -> None:
    chat = await linked.chat(CUSTOMER)
    assert chat.endswith("@lid")
    assert CUSTOMER not in chat
    for address in (f"{CUSTOMER}@c.us", chat):
        entry = await linked.js("id => WPP.contact.getPnLidEntry(id)", address)
        assert (entry["lid"]["_serialized"], entry["phoneNumber"]["_serialized"]) == (chat, f"{CUSTOMER}@c.us")
    assert await linked.js("async id => (await WPP.contact.queryExists(id)).wid.toString()", f"{CUSTOMER}@c.us")


async def test_numbers_that_are_not_on_whatsapp_do_not_exist(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/settings", {"absent": ["4915112345999"]})
    for number in ("999123456789", "4915112345999"):
        assert await linked.js("id => WPP.contact.queryExists(id)", f"{number}@c.us") is None
        error = await linked.js("id => WPP.chat.find(id).catch(error => error.message)", f"{number}@c.us")
        assert error == "No LID for user"
    await sim.do("PUT", "web/settings", {})


async def test_plain_addresses_are_used_when_asked_for(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/settings", {"lid": False})
    await linked.until("WPP.conn.getMigrationState().isLidMigrated === false")
    sent = await linked.send("4915112345002", "plain", "3EB0A1B2C3D4E5F60002")
    assert sent["id"] == "true_4915112345002@c.us_3EB0A1B2C3D4E5F60002"
    await sim.write("4915112345002", {"text": "and back"})
    got = await linked.event("chat.new_message", lambda message: message["body"] == "and back")
    assert (got["from"], got["to"]) == ("4915112345002@c.us", f"{linked.phone}@c.us")
    await sim.do("PUT", "web/settings", {})
    await linked.until("WPP.conn.getMigrationState().isLidMigrated === true")


async def test_ticks_come_as_the_statuses_are_set(linked: Tab, sim: Sim) -> None:
    sent = await linked.send("4915112345003", "tick")
    for ack in (1, 2, 3):
        event = await linked.event("chat.msg_ack_change", lambda e, ack=ack: _is_ack(e, ack, sent["id"]))
        assert event["chat"] == await linked.chat("4915112345003")
    assert await linked.ack(sent["id"]) == 3
    info = await linked.js("id => WPP.chat.getMessageACK(id)", sent["id"])
    assert (info["ack"], info["fromMe"], info["readRemaining"]) == (3, True, 0)


def _is_ack(event: Any, ack: int, message_id: str) -> bool:
    return bool(event["ack"] == ack and event["ids"][0]["_serialized"] == message_id)


async def test_a_message_is_read_when_the_customer_opens_the_chat(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "statuses", {"statuses": ["sent", "delivered"], "delays": {"sent": 0.01, "delivered": 0.02}})
    sent = await linked.send("4915112345004", "read me")
    await until(lambda: _has_ack(linked, sent["id"], 2))
    assert (await sim.do("POST", "phones/4915112345004/read", {}))["read"] == [sent["id"]]
    await until(lambda: _has_ack(linked, sent["id"], 3))
    await sim.do("PUT", "statuses", {"delays": {"sent": 0.01, "delivered": 0.02, "read": 0.03}})


async def _has_ack(tab: Tab, message_id: str, ack: int) -> bool:
    return await tab.ack(message_id) >= ack


async def test_shuffled_and_doubled_ticks_never_go_back(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "statuses", {"shuffled": True, "doubled": True, "delays": {"sent": 0.01, "delivered": 0.02,
                                                                                "read": 0.03}})  # fmt: skip
    sent = await linked.send("4915112345005", "disorder")
    await until(lambda: _has_ack(linked, sent["id"], 3))
    await sim.do("PUT", "statuses", {"delays": {"sent": 0.01, "delivered": 0.02, "read": 0.03}})
    assert await linked.ack(sent["id"]) == 3


async def test_a_message_that_nobody_sent_is_not_found(linked: Tab) -> None:
    chat = await linked.chat(CUSTOMER)
    code = await linked.js(
        "id => WPP.chat.getMessageById(id).catch(error => error.code)", f"true_{chat}_3EB0FFFFFFFFFFFFFFFF"
    )
    assert code == "msg_not_found"


async def test_the_same_id_again_is_dropped_and_counted(linked: Tab, sim: Sim) -> None:
    for _ in range(2):
        sent = await linked.send("4915112345006", "only once", "3EB0A1B2C3D4E5F60006")
        assert sent["sendMsgResult"]["messageSendResult"] == "OK"
    assert len(await sim.ledger("4915112345006")) == 1
    (device,) = await sim.devices(linked.phone)
    assert (device["duplicates"], device["repeats"]) == (1, 0)


async def test_what_was_sent_is_found_after_a_reload(linked: Tab, sim: Sim) -> None:
    sent = await linked.send("4915112345007", "still there")
    await until(lambda: _has_ack(linked, sent["id"], 3))
    await linked.reload()
    await linked.main()
    found = await linked.js(
        "async id => { const m = await WPP.chat.getMessageById(id); return [m.body, m.ack]; }", sent["id"]
    )
    assert found == ["still there", 3]


async def test_a_send_while_offline_waits_and_goes_when_the_page_is_back(linked: Tab, sim: Sim) -> None:
    await linked.chat("4915112345008")
    await sim.do("PUT", "web/faults", {"kind": "offline", "phone": linked.phone})
    await linked.event("conn.stream_mode_changed", lambda mode: mode == "OFFLINE")
    await linked.event("conn.online", lambda online: online is False)
    sent = await linked.send("4915112345008", "later", waitForAck=False)
    assert (sent["ack"], await linked.ack(sent["id"])) == (0, 0)
    assert await sim.ledger("4915112345008") == []
    await sim.do("DELETE", "web/faults?kind=offline")
    await until(lambda: _has_ack(linked, sent["id"], 1))
    assert [entry["wamid"] for entry in await sim.ledger("4915112345008")] == [sent["id"]]


async def test_what_waited_goes_out_after_a_reload_too_and_once(linked: Tab, sim: Sim) -> None:
    await linked.chat("4915112345009")
    await sim.do("PUT", "web/faults", {"kind": "offline", "phone": linked.phone})
    await linked.until("WPP.conn.getStreamData().mode === 'OFFLINE'")
    sent = [await linked.send("4915112345009", f"waiting {n}", waitForAck=False) for n in range(3)]
    await linked.page.reload()
    await sim.do("DELETE", "web/faults")
    await linked.main()
    await until(lambda: _has_ack(linked, sent[-1]["id"], 1))
    assert [entry["wamid"] for entry in await sim.ledger("4915112345009")] == [message["id"] for message in sent]


async def test_an_answer_that_never_comes_is_asked_for_again_after_a_reload(linked: Tab, sim: Sim) -> None:
    await linked.chat("4915112345010")
    await sim.do("PUT", "web/faults", {"kind": "drop_ack", "count": 1})
    sent = await linked.send("4915112345010", "accepted", waitForAck=False)
    await until(lambda: sim.ledger("4915112345010"))
    assert await linked.ack(sent["id"]) == 0
    before = (await sim.devices(linked.phone))[0]
    await linked.reload()
    await linked.main()
    await until(lambda: _has_ack(linked, sent["id"], 3))
    after = (await sim.devices(linked.phone))[0]
    assert len(await sim.ledger("4915112345010")) == 1
    assert (after["repeats"] - before["repeats"], after["duplicates"] - before["duplicates"]) == (1, 0)


async def test_a_refused_send_fails_and_a_slow_one_takes_its_time(linked: Tab, sim: Sim) -> None:
    await sim.do("PUT", "web/faults", {"kind": "refuse", "count": 1, "phone": linked.phone})
    refused = await linked.send("4915112345011", "no")
    assert (refused["sendMsgResult"]["messageSendResult"], await linked.ack(refused["id"])) == ("ERROR_UNKNOWN", -1)
    await sim.do("PUT", "web/faults", {"kind": "slow", "count": 1, "seconds": 0.3})
    slow = await linked.send("4915112345011", "slowly", waitForAck=False)
    assert (await linked.ack(slow["id"]), await sim.ledger("4915112345011")) == (0, [])
    await until(lambda: _has_ack(linked, slow["id"], 1))
    assert len(await sim.ledger("4915112345011")) == 1


@pytest.mark.parametrize("kind", ["location", "vcard", "vcards", "reaction", "reply", "edit", "revoke"])
async def test_every_other_kind_arrives_and_stands_in_the_ledger(linked: Tab, sim: Sim, kind: str) -> None:
    customer = f"49151123460{['location', 'vcard', 'vcards', 'reaction', 'reply', 'edit', 'revoke'].index(kind):02d}"
    chat = await linked.chat(customer)
    calls = {
        "location": "WPP.chat.sendLocationMessage(chat, {lat: 52.5, lng: '13.4', name: 'Here', address: 'Street 1'})",
        "vcard": "WPP.chat.sendVCardContactMessage(chat, {id: '4915199999999@c.us', name: 'Ada'})",
        "vcards": "WPP.chat.sendVCardContactMessage(chat, [{id: '4915199999999@c.us', name: 'Ada'}, '49151888@c.us'])",
        "reaction": "WPP.chat.sendReactionToMessage(first, '👍')",
        "reply": "WPP.chat.sendTextMessage(chat, 'an answer', {quotedMsg: first, linkPreview: false})",
        "edit": "WPP.chat.editMessage(first, 'better', {linkPreview: false})",
        "revoke": "WPP.chat.deleteMessage(chat, first, false, true)",
    }
    first = (await linked.send(customer, "first"))["id"]
    await linked.js(f"async ([chat, first]) => {calls[kind]}", [chat, first])
    entry = (await sim.ledger(customer))[-1]
    expected = {
        "location": ("location", {"latitude": 52.5, "longitude": 13.4, "name": "Here", "address": "Street 1"}),
        "reaction": ("reaction", {"message_id": first, "emoji": "👍"}),
        "reply": ("text", {"body": "an answer"}),
        "edit": ("edit", {"message_id": first, "text": "better"}),
        "revoke": ("revoke", {"message_id": first}),
    }
    if kind in expected:
        assert (entry["type"], entry["body"]) == expected[kind]
    else:
        assert entry["type"] == "contacts"
        assert entry["body"][0]["name"]["formatted_name"] == "Ada"
        assert entry["body"][0]["phones"] == [{"phone": "+4915199999999"}]
        assert len(entry["body"]) == (2 if kind == "vcards" else 1)
    on_phone = (await sim.do("GET", f"phones/{customer}/messages"))["messages"]
    if kind == "reply":
        assert on_phone[-1]["context"]["id"] == first
    if kind == "edit":
        assert on_phone[0]["edited"] == "better"
        assert (await linked.event("chat.msg_edited", lambda e: e["id"] == first))["msg"]["body"] == "better"
    if kind == "revoke":
        assert on_phone[0]["revoked"] is True
        assert await linked.js("async id => (await WPP.chat.getMessageById(id)).type", first) == "revoked"
    if kind == "reaction":
        shown = await linked.js("id => WPP.chat.getReactions(id)", first)
        assert shown["reactions"][0]["aggregateEmoji"] == "👍"


async def test_typing_and_reading_reach_the_customer(linked: Tab, sim: Sim) -> None:
    written = await sim.write("4915112345013", {"text": "anybody there?", "to": linked.phone})
    chat = await linked.chat("4915112345013")
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    assert await linked.js("id => WPP.chat.get(id).unreadCount", chat) == 1
    await linked.js("async id => { await WPP.chat.markIsComposing(id); await WPP.chat.markIsPaused(id); }", chat)
    await linked.js("id => WPP.chat.markIsRead(id)", chat)
    assert await linked.js("id => WPP.chat.get(id).unreadCount", chat) == 0
    (message,) = (await sim.do("GET", "phones/4915112345013/messages"))["messages"]
    assert message["status"] == "read"
    await linked.event("chat.unread_count_changed", lambda event: event["unreadCount"] == 0)


async def test_nothing_that_is_sent_makes_wa_js_complain(linked: Tab) -> None:
    assert linked.errors == []
