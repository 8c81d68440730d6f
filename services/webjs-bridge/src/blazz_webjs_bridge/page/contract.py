"""What our script uses of wa-js, as data: checked at every start, in the tests, and against new releases.

A path is below `WPP`. `kind` is what `typeof` must say of it once wa-js is ready, or a type that its value must have.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """Something of wa-js that the script calls or reads."""

    path: str
    why: str
    kind: str = "function"


@dataclass(frozen=True)
class Event:
    """An event that the script listens to, and the fields that it reads of its first value."""

    name: str
    fields: tuple[str, ...] = ()


FUNCTIONS = (
    Function("version", "told in the state", "string"),
    Function("isInjected", "whether calls make sense", "boolean"),
    Function("isReady", "whether calls make sense", "boolean"),
    Function("isFullReady", "whether receipts are listened to", "boolean"),
    Function("on", "every fact"),
    Function("once", "logout"),
    Function("util.createWid", "addresses"),
    Function("conn.getAuthCode", "state"),
    Function("conn.refreshQR", "refreshQr"),
    Function("conn.startLinkDeviceCodeForPhoneNumber", "pair"),
    Function("conn.logout", "logout"),
    Function("conn.isAuthenticated", "state, heartbeat"),
    Function("conn.isOnline", "state, heartbeat"),
    Function("conn.getStreamData", "state, heartbeat"),
    Function("conn.getMyUserWid", "state, Ready"),
    Function("conn.getMyUserLid", "state, Ready"),
    Function("conn.getBuildConstants", "state, Ready"),
    Function("conn.setKeepAlive", "timers of a page without a window"),
    Function("profile.getMyProfileName", "Ready"),
    Function("contact.queryWidExists", "findPerson"),
    Function("chat.get", "findPerson"),
    Function("chat.find", "findPerson, typing"),
    Function("chat.list", "history"),
    Function("chat.getMessages", "history"),
    Function("chat.getMessageById", "findMessage, download"),
    Function("chat.sendTextMessage", "send text"),
    Function("chat.sendFileMessage", "send files"),
    Function("chat.sendLocationMessage", "send location"),
    Function("chat.sendRawMessage", "send contacts"),
    Function("chat.sendReactionToMessage", "send reaction"),
    Function("chat.markIsComposing", "typing"),
    Function("chat.markIsPaused", "typing"),
    Function("chat.markIsRead", "markRead"),
    Function("chat.downloadMedia", "download"),
    Function("call.reject", "rejectCall"),
    Function("whatsapp.Socket.takeover", "takeOver"),
    Function("whatsapp.MsgStore.get", "where a message of ours lies"),
    Function("whatsapp.MsgStore.on", "acks while chats are being loaded, and failures"),
    Function("whatsapp.ContactStore.get", "names"),
    Function("whatsapp.lidPnCache.getPhoneNumber", "both ids of a person"),
    Function("whatsapp.lidPnCache.getCurrentLid", "both ids of a person"),
    Function("whatsapp.functions.queryWidExists", "findPerson: tells a number that is not there from no answer"),
)

EVENTS = (
    Event("loader.injected"),
    Event("loader.full_ready"),
    Event("conn.auth_code_change", ("fullCode",)),
    Event("conn.qrcode_idle"),
    Event("conn.link_code_change"),
    Event("conn.link_code_expired"),
    Event("conn.link_code_error"),
    Event("conn.authenticated"),
    Event("conn.main_loaded"),
    Event("conn.logout"),
    Event("conn.logout_reason"),
    Event("conn.stream_mode_changed"),
    Event("conn.online"),
    Event("conn.backend_event"),
    Event("chat.new_message"),
    Event("chat.msg_ack_change", ("ack", "chat", "ids")),
    Event("chat.msg_edited", ("msg",)),
    Event("chat.msg_revoke", ("author", "from", "id", "refId", "to", "type")),
    Event("chat.new_reaction", ("id", "msgId", "reactionText", "sender", "timestamp")),
    Event("call.incoming_call", ("id", "isGroup", "isVideo", "offerTime", "sender", "peerJid")),
)
