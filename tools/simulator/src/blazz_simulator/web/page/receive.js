// What the server tells: messages, ticks, changes; in order, and each remembered before the next.
__d("WAWebReceive", ["WAWebMsgCollection", "WAWebChatCollection", "WAWebContactCollection", "WAWebModelStorage", "WAWebMsgRecord", "WAWebSocketModel", "WAWebWidFactory", "WAWebCmd", "WAWebStreamModel", "WAWebBackendEventBus"], (exports, require) => {
  const { MsgCollection } = require("WAWebMsgCollection");
  const { ChatCollection } = require("WAWebChatCollection");
  const { ContactCollection } = require("WAWebContactCollection");
  const { properties } = require("WAWebMsgRecord");
  const { createWid, maybe } = require("WAWebWidFactory");
  const { BackendEventBus } = require("WAWebBackendEventBus");
  const storage = require("WAWebModelStorage");
  const socket = () => require("WAWebSocketModel").Socket;
  const DECRYPT_MS = 30;
  const GOT_MS = 50; // how often the server is told what this page has in its storage
  let seq = null, kept = null, told = null, work = Promise.resolve();

  exports.since = async () => {
    seq ??= (await storage.get("meta", "seq").catch(() => null))?.value ?? -1;
    return seq;
  };

  exports.take = frame => {
    work = work.then(() => handle(frame)).catch(error => console.warn("A frame could not be read:", error, frame));
  };

  async function handle(frame) {
    const handler = FRAMES[frame.k];
    if (handler) await handler(frame);
  }

  async function reached(value) {
    if (value === undefined || value <= seq) return;
    seq = value;
    kept = storage.put("meta", { id: "seq", value });
    told ??= setTimeout(async () => {
      told = null;
      const stored = seq; // what comes meanwhile is not in the storage yet
      await kept;
      socket().tell({ k: "got", seq: stored });
    }, GOT_MS);
  }

  // Put a message into its chat, whether it is new or was written elsewhere.
  exports.place = raw => {
    const remote = createWid(raw.id.split("_")[1]);
    const known = MsgCollection.get(raw.id);
    if (known) return known;
    const fromMe = raw.id.startsWith("true");
    const who = raw.author ?? (remote.isGroup() ? undefined : String(remote));
    if (who && (raw.senderPn || !fromMe)) ContactCollection.learn({ id: who, pn: raw.senderPn, name: raw.notifyName });
    if (raw.encrypted) return decryptLater(raw, remote);
    const message = new MsgCollection.modelClass({ ...properties(raw), isNewMsg: true, self: fromMe ? "out" : "in", recvFresh: true });
    const chat = ChatCollection.sure(remote, { t: message.t });
    chat.msgs.add(message);
    MsgCollection.add(message);
    MsgCollection.keep(message);
    if (!fromMe) chat.unreadCount = Math.max(0, chat.unreadCount) + 1;
    chat.onNewMsg(message);
    return message;
  };

  // Some messages are there before they can be read: first without their contents, then with them.
  function decryptLater({ encrypted, ...raw }, remote) {
    const { id, from, to, t, author, notifyName, senderPn, sort } = raw;
    const message = exports.place({ id, from, to, t, author, notifyName, senderPn, sort, type: "ciphertext", ack: raw.ack });
    setTimeout(() => {
      const { type, ...rest } = properties(raw);
      for (const [name, value] of Object.entries(rest)) if (name !== "id") message.set({ [name]: value }, { silent: true });
      message.set({ type });
      message.initialize();
      MsgCollection.keep(message);
      ChatCollection.get(remote)?.keep();
    }, DECRYPT_MS);
    return message;
  }

  async function history(chats) {
    for (const { id, pn, name, unread, messages } of chats) {
      const wid = createWid(id);
      if (pn) ContactCollection.learn({ id, pn, name });
      const chat = ChatCollection.sure(wid, { unreadCount: unread });
      for (const raw of messages) {
        storage.put("message", { ...raw, remote: id });
        const message = MsgCollection.add(properties(raw), { silent: true });
        chat.msgs.add(message, { silent: true });
        chat.set({ t: message.t, lastReceivedKey: message.id }, { silent: true });
      }
      chat.keep();
    }
    BackendEventBus.trigger("on_initial_chat_synced");
  }

  const EVENTS = {
    msg: ({ msg }) => MsgCollection.processMultipleMessages(maybe(msg.id.split("_")[1]), [{ ...msg, isNewMsg: true }]),
    ack: event => require("WAWebReceipt").take(event),
    edit: event => require("WAWebEdit").fromOutside(event),
    revoke: event => require("WAWebRevoke").take(event),
    reaction: event => require("WAWebReaction").take(event),
    group: ({ group }) => require("WAWebGroupMetadataCollection").default.learn(group),
    seen({ chat }) {
      const known = ChatCollection.get(chat);
      known?.set({ unreadCount: 0 });
      known?.keep();
    },
  };

  const FRAMES = {
    async welcome({ me, lid, groups }) {
      const device = require("WAWebIdentity");
      device.setMe(me);
      require("WAWebLidSetting").set(lid);
      require("WAWebContactCollection").ContactCollection.learn({ id: me.lid, pn: me.pn, name: me.name });
      socket().answered();
      socket().set({ state: "CONNECTED", stream: "SYNCING", hasSynced: false });
      const { Stream } = require("WAWebStreamModel");
      if (Stream.mode !== "MAIN") Stream.mode = "SYNCING";
      Stream.info = "SYNCING";
      for (const group of groups) require("WAWebGroupMetadataCollection").default.learn(group);
      BackendEventBus.trigger("open_socket_stream");
    },
    async history({ chats, seq: upTo }) {
      await history(chats);
      await reached(upTo);
    },
    async event({ seq: number, e: kind, ...event }) {
      if (kind && EVENTS[kind]) {
        try { await EVENTS[kind](event); }
        catch (error) { console.warn("An event could not be read:", error, event); }
      }
      await reached(number);
    },
    async live({ missed }) {
      const { Stream } = require("WAWebStreamModel");
      const { Cmd } = require("WAWebCmd");
      const { Conn } = require("WAWebConnModel");
      if (!Cmd.isMainLoaded) Cmd.mainLoaded();
      BackendEventBus.isOfflineDeliveryEnd = true;
      BackendEventBus.trigger("offline_delivery_end", missed);
      socket().set({ stream: "CONNECTED", hasSynced: true });
      Conn.connected = true;
      Stream.set({ info: "NORMAL", mode: "MAIN" });
      if (!BackendEventBus.isMainStreamReadyMd) {
        BackendEventBus.isMainStreamReadyMd = true;
        BackendEventBus.trigger("main_stream_mode_ready");
      }
      require("WAWebPending").sendAll();
    },
    settings: ({ lid }) => require("WAWebLidSetting").set(lid),
    presence: frame => require("WAWebPresenceCollection").take(frame),
    call: frame => require("WAWebCallCollection").take(frame),
  };
});

__d("WAWebReceipt", ["WAWebMsgCollection", "WAWebMsgFind", "WAWebMsgKey", "WAWebWidFactory"], (exports, require) => {
  const { createWid } = require("WAWebWidFactory");
  const STRINGS = { 1: "sender", 2: "delivery", 3: "read", 4: "played" };

  // Through the receipt handlers, which is where those who drive the page listen.
  exports.take = async ({ ids, remote, ack, participant, keys }) => {
    const from = createWid(remote);
    const receipt = { type: "message", stanzaId: ids[0], externalIds: ids, from, participant: participant ? createWid(participant) : null,
      recipient: null, ts: Math.floor(Date.now() / 1000), ack, ackString: STRINGS[ack] ?? null, offline: null, biz: null, keys };
    const handlers = require("WAWebHandleMsgReceipt");
    const handle = from.isGroup() ? require("WAWebHandleGroupMsgReceipt").handleGroupSimpleReceipt : handlers.handleChatSimpleReceipt;
    await handle(receipt);
  };

  exports.apply = async ({ keys, ack }) => {
    const { MsgCollection } = require("WAWebMsgCollection");
    for (const key of keys) {
      const message = await require("WAWebMsgFind").load(key);
      if (!message || ack <= (message.ack ?? 0)) continue;
      message.updateAck(ack);
      MsgCollection.keep(message);
      require("WAWebPending").forget(message);
      require("WAWebMsgInfoCollection").note(message, ack);
    }
  };
});

__d("WAWebHandleMsgReceipt", ["WAWebReceipt"], (exports, require) => {
  exports.handleChatSimpleReceipt = receipt => require("WAWebReceipt").apply(receipt);
});
__d("WAWebHandleGroupMsgReceipt", ["WAWebReceipt"], (exports, require) => {
  exports.handleGroupSimpleReceipt = receipt => require("WAWebReceipt").apply(receipt);
});
__d("WAWebHandleStatusMsgReceipt", [], exports => { exports.handleStatusSimpleReceipt = async () => {}; });

// Who has a message, and since when.
__d("WAWebMsgInfoCollection", ["WAWebBaseCollection", "WAWebBaseModel"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class MsgInfo extends BaseModel {}
  defineModel(MsgInfo, "msg-info", ["id", "delivery", "read", "played", "deliveryRemaining", "readRemaining", "playedRemaining"]);

  class MsgInfoCollectionImpl extends BaseCollection {
    static model = MsgInfo;
    async findQuery(id) {
      const message = await require("WAWebMsgFind").load(id);
      return message && infoOf(message, message.ack ?? 0, message.t);
    }
  }
  const infoOf = (message, ack, t) => {
    const who = [{ id: message.id.remote, t }];
    return { id: message.id, delivery: ack >= 2 ? who : [], read: ack >= 3 ? who : [], played: ack >= 4 ? who : [],
      deliveryRemaining: ack >= 2 ? 0 : 1, readRemaining: ack >= 3 ? 0 : 1, playedRemaining: ack >= 4 ? 0 : 1 };
  };
  exports.MsgInfoModel = MsgInfo;
  exports.MsgInfoCollection = new MsgInfoCollectionImpl();
  exports.note = (message, ack) => exports.MsgInfoCollection.get(message.id)?.set(infoOf(message, ack, Math.floor(Date.now() / 1000)));
});
