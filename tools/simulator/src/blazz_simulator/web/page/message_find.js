// Older messages: first from this page's own storage, then from the server.
__d("WAWebMsgFind", ["WAWebMsgCollection", "WAWebChatCollection", "WAWebModelStorage", "WAWebSocketModel", "WAWebMsgRecord", "WAWebMsgKey"], (exports, require) => {
  const { MsgCollection } = require("WAWebMsgCollection");
  const { ChatCollection } = require("WAWebChatCollection");
  const { properties } = require("WAWebMsgRecord");
  const storage = require("WAWebModelStorage");
  const ask = (kind, frame) => require("WAWebSocketModel").Socket.request(kind, frame);

  const shown = raw => {
    const message = MsgCollection.get(raw.id) ?? MsgCollection.add(properties(raw), { silent: true });
    ChatCollection.get(message.id.remote)?.msgs.add(message, { silent: true });
    return message;
  };

  // One message, wherever it is; undefined when nobody has it.
  exports.load = async id => {
    const key = String(id);
    const known = MsgCollection.get(key);
    if (known) return known;
    let raw = await storage.get("message", key);
    if (!raw) {
      raw = (await ask("find", { key }).catch(() => null))?.message;
      if (raw) storage.put("message", { ...raw, remote: key.split("_")[1] });
    }
    return raw ? shown(raw) : undefined;
  };

  const fromServer = async (chat, count, anchor, direction) => {
    const { messages } = await ask("history", { chat: String(chat.id), count, anchor, direction });
    for (const raw of messages) storage.put("message", { ...raw, remote: String(chat.id) });
    return messages;
  };

  const lookup = async ({ anchor, count, direction }) => {
    const chat = ChatCollection.get(anchor.remote);
    const from = chat && (await exports.load(anchor));
    if (!from || count <= 0) return { messages: [], status: 200 };
    const most = Number.isFinite(count) ? count : 1000;
    const sort = from.get("sort") ?? from.t * 1000;
    let found = await storage.messages(String(chat.id), sort, most, direction);
    if (found.length < most) {
      const edge = direction === "before" ? found[0] : found.at(-1);
      const more = await fromServer(chat, most - found.length, edge?.id ?? String(anchor), direction).catch(() => []);
      const there = new Set(found.map(raw => raw.id));
      const fresh = more.filter(raw => !there.has(raw.id));
      found = direction === "before" ? [...fresh, ...found] : [...found, ...fresh];
    }
    return { messages: found.map(raw => shown(raw).attributes), status: 200 };
  };

  // The newest messages of a chat that was opened for the first time.
  exports.newest = async chat => {
    const messages = await fromServer(chat, 20);
    const last = messages.map(shown).at(-1);
    if (last && !chat.lastReceivedKey) chat.set({ lastReceivedKey: last.id, t: last.t });
    if (last) chat.keep();
  };
  exports.loadEarlier = async chat => {
    const first = chat.msgs.head();
    return first ? (await lookup({ anchor: first.id, count: 20, direction: "before" })).messages : [];
  };
  exports.lookup = lookup;
});

__d("WAWebDBMessageFindLocal", ["WAWebMsgFind"], (exports, require) => {
  const { lookup } = require("WAWebMsgFind");
  exports.msgFindByDirection = lookup;
  exports.msgFindBefore = params => lookup({ ...params, direction: "before" });
  exports.msgFindAfter = params => lookup({ ...params, direction: "after" });
});

__d("WAWebDBMessageFindKinds", ["WAWebMsgFind"], (exports, require) => {
  const MEDIA = { allMedia: ["image", "video", "sticker"], allDocs: ["document"], allLinks: [] };
  exports.msgFindMedia = async ({ anchor, count, direction = "before", mediaType }) => {
    if (!anchor) return { messages: [] };
    const { messages } = await require("WAWebMsgFind").lookup({ anchor, count: 1000, direction });
    const kept = messages.filter(raw => (MEDIA[mediaType] ?? []).includes(raw.type));
    return { messages: direction === "before" ? kept.slice(-count) : kept.slice(0, count) };
  };
  exports.msgFindCallLog = async () => [];
  exports.msgFindEvents = async () => [];
  exports.msgFindStarred = async () => [];
  exports.msgFindSearch = async () => ({ messages: [], eof: true, canceled: false });
});

__d("WAWebChatMessageSearch", ["WAWebMsgFind", "WAWebChatMsgs"], (exports, require) => {
  exports.getSearchContext = params => {
    const { ChatMsgsCollection } = require("WAWebChatMsgs");
    const collection = new ChatMsgsCollection();
    collection.loadAroundPromise = require("WAWebMsgFind").load(params.msgKey).then(message => message && collection.add(message, { silent: true }));
    return { collection, key: params.msgKey, highlightMsg: true };
  };
});
