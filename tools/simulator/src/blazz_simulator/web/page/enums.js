// Names and numbers that WhatsApp gives things.
__d("WAWebAck", [], exports => {
  exports.ACK = { MD_DOWNGRADE: -7, INACTIVE: -6, CONTENT_UNUPLOADABLE: -5, CONTENT_TOO_BIG: -4, CONTENT_GONE: -3, EXPIRED: -2,
    FAILED: -1, CLOCK: 0, SENT: 1, RECEIVED: 2, READ: 3, PLAYED: 4, PEER: 5 };
  exports.ACK_STRING = { SENDER: "sender", DELIVERY: "delivery", READ: "read", PLAYED: "played", INACTIVE: "inactive",
    READ_SELF: "read-self", PLAYED_SELF: "played-self" };
  exports.EDIT_ATTR = { SENDER_REVOKE: 7, ADMIN_REVOKE: 8 };
});

__d("WAWebCallState", [], exports => {
  exports.CallState = { None: 0, Calling: 1, PreacceptReceived: 2, ReceivedCall: 3, AcceptSent: 4, AcceptReceived: 5, CallActive: 6,
    CallActiveElseWhere: 7, ReceivedCallWithoutOffer: 8, Rejoining: 9, Link: 10, ConnectedLonely: 11, PreCalling: 12,
    CallStateEnding: 13, CallBCallStarting: 14 };
});

__d("WAWebMsgType", [], exports => {
  const names = ["notification", "notification_template", "group_notification", "gp2", "broadcast_notification", "e2e_notification",
    "call_log", "protocol", "chat", "location", "payment", "vcard", "ciphertext", "multi_vcard", "revoked", "oversized",
    "groups_v4_invite", "hsm", "template_button_reply", "image", "video", "audio", "ptt", "sticker", "document", "product", "order",
    "list", "interactive", "list_response", "buttons_response", "reaction", "native_flow", "unknown"];
  exports.MSG_TYPE = Object.fromEntries(names.map(name => [name.toUpperCase(), name]));
  exports.SYSTEM_MESSAGE_TYPES = ["notification", "notification_template", "gp2", "broadcast_notification", "e2e_notification",
    "call_log", "protocol", "ciphertext"];
});

__d("WAWebOutwardTypes", [], exports => {
  exports.OUTWARD_TYPES = { IMAGE: "image", VIDEO: "video", AUDIO: "audio", PTT: "ptt", PTV: "ptv", STICKER: "sticker",
    DOCUMENT: "document", PRODUCT: "product", UNKNOWN: "unknown" };
});

__d("WAWebSendMsgResultAction", [], exports => {
  const names = ["OK", "ERROR_NETWORK", "ERROR_EXPIRED", "ERROR_CANCELLED", "ERROR_UPLOAD", "ERROR_UNKNOWN"];
  exports.SendMsgResult = Object.fromEntries(names.map(name => [name, name]));
});

__d("WAWebSocketConstants", [], exports => {
  const named = names => Object.fromEntries(names.map(name => [name, name]));
  exports.SOCKET_STATE = named(["OPENING", "PAIRING", "UNPAIRED", "UNPAIRED_IDLE", "CONNECTED", "TIMEOUT", "CONFLICT", "UNLAUNCHED",
    "PROXYBLOCK", "TOS_BLOCK", "SMB_TOS_BLOCK", "DEPRECATED_VERSION"]);
  exports.SOCKET_STREAM = named(["DISCONNECTED", "SYNCING", "RESUMING", "CONNECTED"]);
  exports.WATCHED_SOCKET_STATE = named(["OPEN", "CLOSED"]);
});

__d("WAWebLogoutReason", [], exports => {
  exports.LogoutReason = { UserInitiated: "user_initiated", UnknownCompanion: "unknown_companion",
    ClientVersionOutdated: "client_version_outdated", StorageQuotaExceeded: "storage_quota_exceeded", AccountLocked: "account_locked",
    PrimaryIdentityKeyChange: "primary_identity_key_change", WebFailStorageInitialization: "web_fail_storage_initialization" };
  exports.LOGOUT_REASON_CODE = { CLIENT_FATAL: "0", SYNC_FAIL: "1", INITIAL_HISTORY_SYNC_TIMEOUT: "2", ACCOUNT_LOCKED: "3" };

  const store = (name, value) => (value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value));
  exports.getErrorCodeFromLogoutReason = reason =>
    reason === "user_initiated" || reason === "unknown_companion" ? null
      : reason === "account_locked" ? exports.LOGOUT_REASON_CODE.ACCOUNT_LOCKED : exports.LOGOUT_REASON_CODE.CLIENT_FATAL;
  exports.setPrevLogoutReasonCode = code => store("prev-logout-reason", code);
  exports.getPrevLogoutReasonCode = () => localStorage.getItem("prev-logout-reason");
  exports.setPrevCustomLogoutMessage = message => store("prev-logout-message", message);
  exports.getPrevCustomLogoutMessage = () => localStorage.getItem("prev-logout-message");
});

__d("WAWebGroupSettingType", [], exports => {
  exports.GROUP_SETTING_TYPE = { ANNOUNCEMENT: "announcement", RESTRICT: "restrict",
    NO_FREQUENTLY_FORWARDED: "no_frequently_forwarded", EPHEMERAL: "ephemeral" };
});

__d("WAWebNonJidMentionType", [], exports => { exports.default = { MENTION_ALL: 1 }; });
__d("WAWebPinState", [], exports => { exports.PIN_STATE = { INVALID: 0, PIN: 1, UNPIN: 2 }; });
__d("WAWebPinExpiry", [], exports => {
  exports.PinExpiryDurationOption = Object.fromEntries(["FiveSeconds", "FifteenSeconds", "OneMinute", "OneDay", "SevenDays", "ThirtyDays"].map(name => [name, name]));
});
__d("WAWebChannelEventSurface", [], exports => { exports.CHANNEL_EVENT_SURFACE = { CHANNEL_UPDATES_HOME: 1, CHANNEL_THREAD: 2 }; });
__d("WAWebKicEntryPointType", [], exports => {
  exports.KIC_ENTRY_POINT_TYPE = { CHAT_INFO: 1, SEARCH: 2, CHAT: 3, MEDIA: 4, DOCS: 5, LINKS: 6 };
});
