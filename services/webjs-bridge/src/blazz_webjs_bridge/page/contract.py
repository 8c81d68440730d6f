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
    answers: str | None = None
    """A check in JavaScript of what it answers, asked without arguments on a linked page; only where asking is free."""


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
    Function("conn.getAuthCode", "state", answers="value => value === null"),
    Function("conn.refreshQR", "refreshQr"),
    Function("conn.startLinkDeviceCodeForPhoneNumber", "pair"),
    Function("conn.logout", "logout"),
    Function("conn.isAuthenticated", "state, heartbeat", answers="value => value === true"),
    Function("conn.isOnline", "state, heartbeat", answers="value => value === true"),
    Function("conn.getStreamData", "state, heartbeat", answers="value => value.mode === 'MAIN'"),
    Function("conn.getMyUserWid", "state, Ready", answers="value => value.toString().endsWith('@c.us')"),
    Function("conn.getMyUserLid", "state, Ready", answers="value => value.toString().endsWith('@lid')"),
    Function("conn.getBuildConstants", "state, Ready", answers="value => typeof value.VERSION_STR === 'string'"),
    Function("conn.setKeepAlive", "timers of a page without a window", answers="value => value === true"),
    Function("profile.getMyProfileName", "Ready", answers="value => typeof value === 'string'"),
    Function("contact.queryWidExists", "findPerson"),
    Function("chat.get", "findPerson"),
    Function("chat.find", "findPerson, typing"),
    Function("chat.list", "history", answers="value => Array.isArray(value)"),
    Function("chat.getMessages", "history"),
    Function("chat.getReactions", "history"),
    Function("chat.getMessageById", "findMessage, download"),
    Function("chat.sendTextMessage", "send text"),
    Function("chat.sendFileMessage", "send files"),
    Function("chat.sendLocationMessage", "send location"),
    Function("chat.sendRawMessage", "send contacts"),
    Function("chat.sendReactionToMessage", "send reaction"),
    Function("chat.markIsComposing", "typing"),
    Function("chat.markIsPaused", "typing"),
    Function("chat.downloadMedia", "download"),
    Function("call.reject", "rejectCall"),
    Function("whatsapp.Conn", "how long a code to scan works, where it says so", "object"),
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

CHECK = """async functions => {
  const broken = [];
  for (const { path, kind, answers } of functions) {
    const parts = path.split("."), name = parts.pop();
    let room = null;
    try {
      room = parts.reduce((object, part) => object[part], WPP);
    } catch {}
    const found = typeof room?.[name];
    if (found !== kind) {
      broken.push(`${path} is ${found}, not ${kind}`);
    } else if (answers) {
      try {
        const value = await room[name]();
        if (!(0, eval)(answers)(value)) broken.push(`${path} answers otherwise: ${JSON.stringify(value)}`);
      } catch (error) {
        broken.push(`${path} fails: ${error?.message ?? error}`);
      }
    }
  }
  return broken;
}"""
"""For a linked page: a list of sentences on what is not as `FUNCTIONS` says."""


def asked() -> list[dict[str, str | None]]:
    """What `CHECK` takes."""
    return [{"path": f.path, "kind": f.kind, "answers": f.answers} for f in FUNCTIONS]
