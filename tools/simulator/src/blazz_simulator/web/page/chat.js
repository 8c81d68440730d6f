// Chats: found, made, shown, read.
__d("WAWebChatModel", ["WAWebBaseModel", "WAWebSuperChatMsgs"], (exports, require) => {
  const { defineModel } = require("WAWebBaseModel");
  const SuperChatMsgs = require("WAWebSuperChatMsgs").default;

  class ChatModel extends SuperChatMsgs {
    get contact() { return this.id.isGroup() ? undefined : require("WAWebContactCollection").ContactCollection.sure(this.id); }
    get groupMetadata() { return this.id.isGroup() ? require("WAWebGroupMetadataCollection").default.get(this.id) : undefined; }
    get presence() { return require("WAWebPresenceCollection").PresenceCollection.of(this.id); }
    get formattedTitle() { return this.attributes?.formattedTitle ?? this.title(); }
    set formattedTitle(value) { this.set("formattedTitle", value); }
    get canSend() { return true; }
    // To the millisecond, where two messages of one second would leave the order open.
    get lastActive() {
      const last = this.lastReceivedKey && require("WAWebMsgCollection").MsgCollection.get(this.lastReceivedKey);
      return last?.attributes.sort ?? (this.t ?? 0) * 1000;
    }
    get mute() { return { isMuted: false, expiration: 0 }; }

    title() {
      if (this.id.isGroup()) return this.groupMetadata?.subject ?? this.name ?? "";
      return this.name ?? this.contact.displayName ?? "";
    }

    setActive(active) {
      const { ChatCollection } = require("WAWebChatCollection");
      if (active) for (const other of ChatCollection.filter(chat => chat.active && chat !== this)) other.active = false;
      this.active = active;
    }

    // A message came or was sent: the chat is the last active one now.
    onNewMsg(message) {
      this.set({ t: message.t, lastReceivedKey: message.id });
      this.keep();
    }

    keep() {
      const last = this.lastReceivedKey && String(this.lastReceivedKey);
      require("WAWebModelStorage").put("chat", { id: String(this.id), t: this.t ?? 0, unreadCount: this.unreadCount, name: this.name, last });
    }

    canPin() { return true; }
    canArchive() { return true; }
    getCollection() { return require("WAWebChatCollection").ChatCollection; }
    loadEarlierMsgs() { return require("WAWebMsgFind").loadEarlier(this); }
  }
  exports.ChatModel = defineModel(ChatModel, "chat", ["id", "t", "unreadCount", "name", "archive", "pin", "isReadOnly", "muteExpiration", "notSpam",
    "lastReceivedKey", "active", "pausedTimerId", "typing", "labels", "pendingMsgs", "markedUnread", "ephemeralDuration", "isParentGroup",
    "changeNumberOldJid"]);
});

__d("WAWebSuperChatMsgs", ["WAWebBaseModel", "WAWebChatMsgs"], (exports, require) => {
  const { BaseModel } = require("WAWebBaseModel");
  class SuperChatMsgs extends BaseModel {
    // Made on first use: thousands of chats are never opened.
    get msgs() { return (this.loadedMsgs ??= new (require("WAWebChatMsgs").ChatMsgsCollection)()); }
    getAllMsgs() { return this.msgs.toArray(); }
    getAllCMCs() { return [this.msgs]; }
    removeMsg(message) { this.msgs.remove(message); }
    onEmptyMRM() { throw new Error("onEmptyMRM not implemented"); }
  }
  exports.default = SuperChatMsgs;
});

__d("WAWebChatMsgs", ["WAWebBaseCollection", "WAWebMsgModel", "WAWebBaseModel"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  class ChatMsgsCollection extends BaseCollection {
    static model = require("WAWebMsgModel").MsgModel;
    loadAroundPromise = Promise.resolve();
  }
  exports.ChatMsgsCollection = ChatMsgsCollection;
});

__d("WAWebChatCollection", ["WAWebBaseCollection", "WAWebMsgKey", "WAWebChatModel", "WAWebModelStorage", "WAWebWidFactory", "WAWebMsgCollection", "WAWebMsgRecord"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { createWid } = require("WAWebWidFactory");
  const { properties } = require("WAWebMsgRecord");
  const MsgKey = require("WAWebMsgKey").default;
  const SHOWN = 100; // chats whose last message is read at the start; the others' are read when somebody looks

  class ChatCollectionImpl extends BaseCollection {
    static model = require("WAWebChatModel").ChatModel;
    static comparator = (one, other) => other.lastActive - one.lastActive;

    // The chat of an address, made when there is none yet.
    sure(wid, more = {}, options) {
      const known = this.get(wid);
      if (known) return known;
      const chat = this.add({ id: wid, unreadCount: 0, t: 0, isReadOnly: false, archive: false, pendingMsgs: false, ...more }, options);
      if (!options?.silent) chat.keep();
      return chat;
    }

    async restore() {
      const { MsgCollection } = require("WAWebMsgCollection");
      const storage = require("WAWebModelStorage");
      const chats = (await storage.getAll("chat")).sort((one, other) => other.t - one.t);
      for (const { id, last, ...more } of chats) {
        const chat = this.sure(createWid(id), more, { silent: true });
        if (last) chat.set({ lastReceivedKey: MsgKey.fromString(last) }, { silent: true });
      }
      const shown = chats.slice(0, SHOWN).map(({ last }) => last).filter(Boolean);
      for (const raw of await storage.getMany("message", shown)) {
        if (!raw) continue;
        const message = MsgCollection.add(properties(raw), { silent: true });
        this.get(message.id.remote).msgs.add(message, { silent: true });
      }
    }

    active() { return this.findFirst(chat => chat.active); }
    async findQuery(id) { return (await require("WAWebFindChatAction").findOrCreateLatestChat(createWid(String(id)))).chat; }
  }
  exports.ChatCollectionImpl = ChatCollectionImpl;
  exports.ChatCollection = new ChatCollectionImpl();
});

__d("WAWebFindChatAction", ["WAWebChatCollection", "WAWebLidPnCache", "WAWebLidSetting", "WAWebQueryExistsJob", "WAWebContactCollection"], (exports, require) => {
  const { ChatCollection } = require("WAWebChatCollection");
  const { lidPnCache } = require("WAWebLidPnCache");

  // One-to-one chats have the address that is in use now, whichever one is asked for.
  async function addressInUse(wid) {
    const lid = require("WAWebLidSetting").value;
    if (!wid.isUser() || wid.isLid() === lid) return wid;
    const other = lid ? lidPnCache.getCurrentLid(wid) : lidPnCache.getPhoneNumber(wid);
    if (other) return other;
    await require("WAWebQueryExistsJob").queryWidExists(wid);
    return lid ? lidPnCache.getCurrentLid(wid) : lidPnCache.getPhoneNumber(wid);
  }

  const known = wid => wid.isGroup() || require("WAWebContactCollection").ContactCollection.get(wid);

  exports.findOrCreateLatestChat = async wid => {
    const address = await addressInUse(wid);
    if (!address) throw new Error("No LID for user");
    const there = ChatCollection.get(address);
    if (there) return { chat: there, created: false };
    if (address.isGroup()) {
      const group = await require("WAWebGroupMetadataCollection").default.ask(address);
      return { chat: ChatCollection.get(group.id), created: true };
    }
    if (!known(address) && !(await require("WAWebQueryExistsJob").queryWidExists(address))) throw new Error("No LID for user");
    const chat = ChatCollection.get(address) ?? ChatCollection.sure(address);
    await require("WAWebMsgFind").newest(chat).catch(() => null);
    return { chat, created: true };
  };
  exports.findChat = async wid => (await exports.findOrCreateLatestChat(wid)).chat;
  exports.findExistingChat = exports.findChat;
});

__d("WAWebChatGetExistingBridge", ["WAWebChatCollection"], (exports, require) => {
  exports.getExisting = async wid => require("WAWebChatCollection").ChatCollection.get(wid) ?? null;
});

__d("WAWebCreateChat", ["WAWebChatCollection"], (exports, require) => {
  exports.createChat = async ({ id }) => require("WAWebChatCollection").ChatCollection.sure(id);
});

__d("WAWebChatGetters", ["WAWebChatModel"], exports => {
  exports.getShouldAppearInList = () => true;
  exports.getPreviewMessage = () => [];
  exports.getShowChangeNumberNotification = () => false;
  exports.getShouldShowUnreadDivider = chat => chat.unreadCount > 0;
});

__d("WAWebChatUnreadGetters", [], exports => { exports.getHasUnread = chat => chat.unreadCount !== 0; });

__d("WAWebUpdateUnreadChatAction", ["WAWebSocketModel"], (exports, require) => {
  exports.sendSeen = async ({ chat }) => {
    chat.unreadCount = 0;
    chat.keep();
    await require("WAWebSocketModel").Socket.request("seen", { chat: String(chat.id) }).catch(() => null);
  };
  exports.markUnread = async chat => { chat.unreadCount = -1; chat.keep(); return chat; };
});
