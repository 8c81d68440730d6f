// Messages, and the ones of a chat that are loaded.
__d("WAWebMsgModel", ["WAWebBaseModel", "WAWebAck"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  const MEDIA = ["image", "video", "audio", "ptt", "ptv", "document", "sticker"];

  class MsgModel extends BaseModel {
    initialize() {
      if (MEDIA.includes(this.type) && !this.mediaData) this.set({ mediaData: require("WAWebMediaData").of(this) }, { silent: true });
    }

    get isSentByMe() { return this.id.fromMe; }
    get sender() { return this.author ?? this.from; }
    get senderObj() { return this.sender && require("WAWebContactCollection").ContactCollection.sure(this.sender); }
    get isFailed() { return this.ack < 0; }
    get isMedia() { return MEDIA.includes(this.type); }
    get isStatusV3() { return this.id.remote.isStatusV3(); }
    get isNotification() { return false; }
    get mediaObject() { return this.mediaData && require("WAWebMediaData").objectOf(this.mediaData); }
    get text() { return this.type === "chat" ? this.body : this.caption; }

    updateAck(ack) { if (ack < 0 || ack > (this.ack ?? 0)) this.ack = ack; }
    canRevoke() { return this.id.fromMe && this.type !== "revoked"; }
    downloadMedia(options) { return require("WAWebMediaDownload").download(this, options); }
    getCollection() { return require("WAWebMsgCollection").MsgCollection; }

    // What a reply to this message carries of it.
    msgContextInfo() {
      const { type, body, caption, mimetype, filename, vcardFormattedName, lat, lng, loc } = this;
      const quoted = { type, body, caption, mimetype, filename, vcardFormattedName, lat, lng, loc };
      return {
        quotedMsg: Object.fromEntries(Object.entries(quoted).filter(([, value]) => value !== undefined)),
        quotedStanzaID: this.id.id,
        quotedParticipant: this.id.fromMe ? this.from : this.sender,
        ...(this.id.remote.isGroup() && { quotedRemoteJid: this.id.remote }),
      };
    }
  }
  exports.MsgModel = defineModel(MsgModel, "msg", ["id", "rowId", "serverId", "body", "type", "subtype", "t", "notifyName", "from", "to", "author", "self",
    "ack", "invis", "isNewMsg", "star", "recvFresh", "caption", "clientUrl", "loc", "lat", "lng", "isLive", "directPath", "mimetype", "waveform",
    "duration", "filehash", "encFilehash", "size", "filename", "mediaKey", "mediaKeyTimestamp", "pageCount", "isGif", "isViewOnce", "width",
    "height", "thumbnail", "title", "description", "matchedText", "canonicalUrl", "quotedMsg", "quotedStanzaID", "quotedRemoteJid",
    "quotedParticipant", "mentionedJidList", "nonJidMentions", "footer", "multicast", "urlText", "urlNumber", "vcardList", "vcardFormattedName",
    "protocolMessageKey", "isForwarded", "forwardingScore", "isCaptionByUser", "isSendFailure", "latestEditMsgKey", "latestEditSenderTimestampMs",
    "mediaData", "interactivePayload", "pollOptions", "local", "labels", "ephemeralDuration", "messageSecret"]);
});

__d("WAWebMsgCollection", ["WAWebBaseCollection", "WAWebMsgModel", "WAWebModelStorage"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const storage = require("WAWebModelStorage");
  const KEPT = 3000; // messages in memory, about 3 KB each; older ones are in the storage, and found there

  class MsgCollectionImpl extends BaseCollection {
    static model = require("WAWebMsgModel").MsgModel;

    _addOne(value, options) {
      const message = super._addOne(value, options);
      if (this._models.length > KEPT * 1.1) this.release(this._models.length - KEPT);
      return message;
    }

    // Let go of the oldest messages that nothing is waited for; a chat's newest one stays, for it is its last.
    release(count) {
      const { ChatCollection } = require("WAWebChatCollection");
      const gone = new Set();
      for (const message of this._models) {
        if (gone.size >= count) break;
        const chat = ChatCollection.get(message.id.remote);
        if (message.ack === 0 && message.id.fromMe) continue;
        if (chat?.lastReceivedKey?.equals(message.id)) continue;
        gone.add(message);
      }
      this._models = this._models.filter(message => !gone.has(message));
      for (const message of gone) {
        this._index.delete(message.id._serialized);
        message._homes?.delete(this);
        ChatCollection.get(message.id.remote)?.loadedMsgs?.remove(message, { silent: true });
      }
    }

    // New messages of a chat arrive here, all kinds of them.
    async processMultipleMessages(chatId, raws) {
      const made = [];
      for (const raw of raws) {
        if (raw.type === "protocol") await require("WAWebRevoke").fromOutside(raw);
        else made.push(require("WAWebReceive").place(raw));
      }
      return made;
    }

    keep(message) { return storage.put("message", require("WAWebMsgRecord").record(message)); }
    hasSynced() { return true; }
    async getMessagesById(ids) { return Promise.all(ids.map(id => require("WAWebMsgFind").load(id))); }
  }
  exports.MsgCollectionImpl = MsgCollectionImpl;
  exports.MsgCollection = new MsgCollectionImpl();
});

// A message as it is stored and as it travels: plain values, addresses as text.
__d("WAWebMsgRecord", ["WAWebMsgKey", "WAWebWidFactory"], (exports, require) => {
  const MsgKey = require("WAWebMsgKey").default;
  const { maybe } = require("WAWebWidFactory");
  const ADDRESSES = ["from", "to", "author", "quotedParticipant", "quotedRemoteJid"];
  const KEYS = ["latestEditMsgKey", "protocolMessageKey"];
  const HERE_ONLY = new Set(["mediaData", "isNewMsg", "local", "self", "chat", "invis", "rowId"]);
  const OWN = new Set(["id", "from", "to", "author", "t", "ack", "sort", "remote", "type", "senderPn", "notifyName", "latestEditMsgKey", "reactions"]);

  const plain = value => {
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value;
    if (value instanceof Uint8Array) return Array.from(value);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === "object" && value._serialized) return value._serialized;
    if (value && Object.getPrototypeOf(value) === Object.prototype) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]).filter(([, part]) => part !== undefined));
    return undefined;
  };

  exports.record = message => {
    const record = {};
    for (const [name, value] of Object.entries(message.attributes)) {
      if (HERE_ONLY.has(name)) continue;
      const part = plain(value);
      if (part !== undefined && part !== null) record[name] = part;
    }
    record.remote = String(message.id.remote);
    record.sort ??= Date.now();
    return record;
  };

  // The fields of the message's own type, without what the key and the server say.
  exports.fields = message => Object.fromEntries(Object.entries(exports.record(message)).filter(([name]) => !OWN.has(name)));

  exports.properties = raw => {
    const properties = { ...raw, id: MsgKey.fromString(raw.id) };
    for (const name of ADDRESSES) if (typeof raw[name] === "string") properties[name] = maybe(raw[name]);
    for (const name of KEYS) if (typeof raw[name] === "string") properties[name] = MsgKey.fromString(raw[name]);
    if (Array.isArray(raw.mentionedJidList)) properties.mentionedJidList = raw.mentionedJidList.map(maybe).filter(Boolean);
    delete properties.offline;
    return properties;
  };
});
