"""What a bridge uses of wa-js is there, under these names, and answers in these shapes."""

from typing import Any

from .conftest import Sim, Tab

FUNCTIONS = {
    "conn": """
        isAuthenticated isMainReady isMainLoaded isMainInit isRegistered isOnline isIdle isMultiDevice getAuthCode
        refreshQR startLinkDeviceCodeForPhoneNumber genLinkDeviceCodeForPhoneNumber refreshLinkDeviceCode
        cancelLinkDeviceCode logout setKeepAlive getMyUserId getMyUserWid getMyUserLid getMyDeviceId needsUpdate
        getPlatform getStreamData getHistorySyncProgress getMigrationState getBuildConstants markAvailable
        markUnavailable""",
    "chat": """
        sendTextMessage sendFileMessage sendLocationMessage sendVCardContactMessage sendReactionToMessage editMessage
        deleteMessage getMessageById getMessages getMessageACK downloadMedia find get list markIsRead markIsComposing
        markIsRecording markIsPaused getActiveChat getReactions getQuotedMsg canReply generateMessageID
        sendRawMessage""",
    "contact": "queryExists getPnLidEntry get list subscribePresence",
    "call": "reject",
    "group": "getAllGroups getParticipants iAmAdmin iAmMember ensureGroup create",
    "profile": "getMyProfileName",
}

OBJECTS = """
    Wid WidFactory MsgKey Conn Stream Socket Cmd BackendEventBus NetworkStatus LinkDeviceEvents UserPrefs MsgStore
    ChatStore ContactStore GroupMetadataStore PresenceStore CallStore BlocklistStore MsgInfoStore ReactionsStore
    StatusV3Store NewsletterStore MsgModel ChatModel ContactModel GroupMetadataModel ParticipantModel PresenceModel
    MediaDataModel CallModel lidPnCache ApiContact MediaPrep OpaqueData MediaGatingUtils LruMediaStore MediaBlobCache
    ChatPresence VCard Base64 EventEmitter
"""


async def test_every_function_a_bridge_uses_exists(linked: Tab) -> None:
    wanted = [f"{space}.{name}" for space, names in FUNCTIONS.items() for name in names.split()]
    missing = await linked.js(
        "names => names.filter(name => { const [space, key] = name.split('.');"
        " return typeof WPP[space]?.[key] !== 'function'; })",
        wanted,
    )
    assert missing == []
    assert await linked.js("['isInjected', 'isReady', 'isFullReady'].map(name => WPP[name])") == [True] * 3
    assert await linked.js("WPP.version") == "4.6.0"


async def test_every_module_behind_them_is_found(linked: Tab) -> None:
    missing = await linked.js(
        "names => names.filter(name => WPP.whatsapp[name] === undefined || WPP.whatsapp[name] === null)",
        OBJECTS.split(),
    )
    assert missing == []


async def test_state_is_answered_in_these_shapes(linked: Tab) -> None:
    state: dict[str, Any] = await linked.js(
        """() => ({
          stream: WPP.conn.getStreamData(), platform: WPP.conn.getPlatform(), online: WPP.conn.isOnline(),
          idle: WPP.conn.isIdle(), needsUpdate: WPP.conn.needsUpdate(), name: WPP.profile.getMyProfileName(),
          me: WPP.conn.getMyUserId(), lid: WPP.conn.getMyUserLid(), device: String(WPP.conn.getMyDeviceId()),
          version: WPP.conn.getBuildConstants().VERSION_STR, progress: WPP.conn.getHistorySyncProgress(),
          alive: [WPP.conn.setKeepAlive(true), WPP.conn.setKeepAlive(false)], active: WPP.chat.getActiveChat() ?? null,
        })"""
    )
    assert state["stream"] == {"mode": "MAIN", "info": "NORMAL"}
    assert (state["online"], state["idle"], state["needsUpdate"], state["active"]) == (True, False, False, None)
    assert state["me"] == {"server": "c.us", "user": linked.phone, "_serialized": f"{linked.phone}@c.us"}
    assert state["lid"]["server"] == "lid"
    assert state["device"] == f"{linked.phone}@c.us"
    assert state["version"].startswith("2.3000.")
    assert state["progress"] == {"progress": 100, "paused": False, "inProgress": False}
    assert state["alive"] == [True, False]
    assert state["name"]
    assert state["platform"] == "android"


async def test_a_key_is_its_parts_and_only_its_hex_is_free(linked: Tab) -> None:
    chat = await linked.chat("4915152345001")
    key = f"true_{chat}_3EB0ABCDEF"
    parts = await linked.js(
        "key => { const k = WPP.whatsapp.MsgKey.fromString(key);"
        " return [k.fromMe, String(k.remote), k.id, k.toString() === key]; }",
        key,
    )
    assert parts == [True, chat, "3EB0ABCDEF", True]
    wrong = [(f"false_{chat}_3EB0", "message_key_is_not_from_me"),
             ("true_123456789@lid_3EB0", "message_key_remote_id_is_not_same_of_chat")]  # fmt: skip
    for message_id, code in wrong:
        got = await linked.js(
            "([chat, messageId]) => WPP.chat.sendTextMessage(chat, 'x', {messageId}).catch(error => error.code)",
            [chat, message_id],
        )
        assert got == code
    made = await linked.js("async chat => String(await WPP.chat.generateMessageID(chat))", chat)
    assert made.startswith(f"true_{chat}_3EB0")


async def test_a_message_shows_these_fields(linked: Tab, sim: Sim) -> None:
    written = await sim.write("4915152345002", {"text": "look at me", "to": linked.phone, "name": "Ada"})
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    shown = await linked.js(
        """async id => {
          const m = await WPP.chat.getMessageById(id);
          return {
            id: String(m.id), from: String(m.from), to: String(m.to), sender: String(m.sender),
            chat: String(m.chat.id), type: m.type, body: m.body, t: m.t, ack: m.ack, fromMe: m.id.fromMe,
            isNewMsg: m.isNewMsg, name: m.notifyName, group: m.isGroupMsg, me: m.senderObj.isMe,
            known: m.senderObj.pushname, phone: m.senderObj.formattedPhone,
          };
        }""",
        written,
    )
    chat = await linked.chat("4915152345002")
    assert shown.pop("t") > 1_700_000_000
    assert shown == {
        "id": written, "from": chat, "to": await linked.js("String(WPP.conn.getMyUserLid())"), "sender": chat,
        "chat": chat, "type": "chat", "body": "look at me", "ack": 1, "fromMe": False, "isNewMsg": True,
        "name": "Ada", "group": False, "me": False, "known": "Ada", "phone": "+4915152345002",
    }  # fmt: skip


async def test_chats_and_contacts_are_listed(linked: Tab) -> None:
    await linked.send("4915152345003", "the newest")
    chats = await linked.js("async () => (await WPP.chat.list({count: 2})).map(chat => String(chat.id))")
    assert chats[0] == await linked.chat("4915152345003")
    users = await linked.js("async () => (await WPP.chat.list({onlyUsers: true})).length")
    assert users >= 2
    contacts = await linked.js("async () => (await WPP.contact.list()).map(contact => String(contact.id))")
    assert chats[0] in contacts


async def test_a_script_without_the_pages_nonce_does_not_run(linked: Tab) -> None:
    ran = await linked.js(
        """() => {
          const tag = document.createElement("div");
          tag.innerHTML = '<img src="data:," onerror="window.ran = 1">';
          document.body.append(tag);
          return new Promise(done => setTimeout(() => done(window.ran ?? null), 100));
        }"""
    )
    assert ran is None
    linked.errors = [error for error in linked.errors if "inline event handler" not in error]


async def test_wa_js_misses_no_module_in_all_this(linked: Tab) -> None:
    assert linked.errors == []
