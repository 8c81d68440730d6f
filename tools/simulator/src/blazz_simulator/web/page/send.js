// Sending: a message is kept as pending before it leaves, and until the server has it.
__d("WAWebPending", ["WAWebModelStorage", "WAWebMsgRecord", "WAWebMsgCollection", "WAWebChatCollection", "WAWebSocketModel"], (exports, require) => {
  const storage = require("WAWebModelStorage");
  const { record, properties } = require("WAWebMsgRecord");
  const { MsgCollection } = require("WAWebMsgCollection");
  const { ChatCollection } = require("WAWebChatCollection");
  const waiting = new Map();
  let numbers = Date.now();

  // `blob` is a file that has to be uploaded first.
  exports.add = (message, blob) => {
    const item = { id: String(message.id), number: ++numbers, raw: record(message), blob, message };
    const before = waiting.get(item.id); // sent twice by whoever drives the page: both hear of the end
    item.done = new Promise(resolve => { item.resolve = result => { before?.resolve(result); resolve(result); }; });
    waiting.set(item.id, item);
    item.kept = storage.put("pending", { id: item.id, number: item.number, raw: item.raw, blob });
    return item;
  };
  exports.forget = message => {
    const item = waiting.get(String(message.id));
    if (!item) return;
    waiting.delete(item.id);
    storage.remove("pending", item.id);
    item.resolve({ messageSendResult: "OK", t: message.t });
  };
  exports.fail = (item, result) => {
    waiting.delete(item.id);
    storage.remove("pending", item.id);
    item.resolve({ messageSendResult: result });
  };

  exports.restore = async () => {
    const items = (await storage.getAll("pending")).sort((one, other) => one.number - other.number);
    for (const { id, number, raw, blob } of items) {
      const message = MsgCollection.get(id) ?? MsgCollection.add(properties(raw), { silent: true });
      ChatCollection.sure(message.id.remote, {}, { silent: true }).msgs.add(message, { silent: true });
      const item = { id, number, raw, blob, message, repeat: true };
      item.done = new Promise(resolve => { item.resolve = resolve; });
      waiting.set(id, item);
    }
  };

  // The connection is there (again): what waits goes, in the order it was written.
  exports.sendAll = () => {
    for (const item of waiting.values()) {
      if (item.leaving) continue;
      require("WAWebSendMsgJob").leave(item);
    }
  };
});

__d("WAWebSendMsgJob", ["WAWebPending", "WAWebSocketModel", "WAWebMsgRecord", "WAWebMsgCollection"], (exports, require) => {
  const { fields } = require("WAWebMsgRecord");
  const { MsgCollection } = require("WAWebMsgCollection");
  const pending = require("WAWebPending");
  const { Socket } = require("WAWebSocketModel");

  // Send what is pending. When the connection goes first, it stays pending: a repeat has the same id, so that the server
  // can tell it from a second message.
  exports.leave = async item => {
    const { message } = item;
    item.leaving = true;
    try {
      await item.kept;
      if (item.blob && !message.directPath) await require("WAWebMediaUpload").upload(message, item.blob);
      if (Socket.state !== "CONNECTED") return;
      const frame = { key: String(message.id), type: message.type, raw: fields(message), repeat: Boolean(item.repeat) };
      item.repeat = true;
      const { ack, t } = await require("WAWebEncryptAndSendMsg").encryptAndSendMsg({ type: "message", data: message }, frame);
      message.set({ t: t ?? message.t });
      message.updateAck(ack);
      MsgCollection.keep(message);
      pending.forget(message);
    } catch (error) {
      if (!error.code) return; // not connected: it leaves when the connection is back
      message.set({ ack: -1, isSendFailure: true });
      MsgCollection.keep(message);
      pending.fail(item, error.code === 413 ? "ERROR_UPLOAD" : "ERROR_UNKNOWN");
    } finally {
      item.leaving = false;
    }
  };
});

__d("WAWebEncryptAndSendMsg", ["WAWebSocketModel"], (exports, require) => {
  exports.encryptAndSendMsg = (message, frame) => require("WAWebSocketModel").Socket.request("send", frame);
});

__d("WAWebSendMsgChatAction", ["WAWebMsgModel", "WAWebMsgCollection", "WAWebPending", "WAWebSendMsgJob"], (exports, require) => {
  const { MsgModel } = require("WAWebMsgModel");
  const { MsgCollection } = require("WAWebMsgCollection");
  const pending = require("WAWebPending");

  // Add a message to its chat and send it. Two promises: the message as it is kept here, and what the server said.
  exports.addAndSend = (chat, message, blob) => {
    const known = MsgCollection.get(message.id);
    const model = known ?? new MsgModel(message);
    if (!known) {
      model.set({ sort: Date.now() }, { silent: true });
      chat.msgs.add(model);
      MsgCollection.add(model);
      MsgCollection.keep(model);
      chat.onNewMsg(model);
    }
    const item = pending.add(model, blob);
    require("WAWebSendMsgJob").leave(item);
    return [item.kept.then(() => model), item.done];
  };
  exports.addAndSendMsgToChat = async (chat, message) => exports.addAndSend(chat, message);
});

__d("WAWebSendTextMsgChatAction", ["WAWebSendMsgChatAction"], (exports, require) => {
  exports.sendTextMsgToChat = async (chat, body) => {
    const MsgKey = require("WAWebMsgKey").default;
    const me = require("WAWebUserPrefsMeUser");
    const from = chat.id.server === "c.us" ? me.getMaybeMePnUser() : me.getMaybeMeLidUser();
    const id = new MsgKey({ from, to: chat.id, id: await MsgKey.newId(), selfDir: "out", participant: chat.id.isGroup() ? from : undefined });
    const [, sent] = exports.text(chat, { id, from, to: chat.id, body, type: "chat", self: "out", isNewMsg: true, ack: 0, t: Math.floor(Date.now() / 1000) });
    return (await sent).messageSendResult;
  };
  exports.text = (chat, message) => require("WAWebSendMsgChatAction").addAndSend(chat, message);
});

__d("WAWebEdit", ["WAWebMsgFind", "WAWebMsgCollection", "WAWebMsgKey"], (exports, require) => {
  const MsgKey = require("WAWebMsgKey").default;
  exports.apply = (message, field, text, key) => {
    message.set({ [field]: text });
    message.set({ latestEditSenderTimestampMs: Date.now(), latestEditMsgKey: MsgKey.fromString(key) });
    require("WAWebMsgCollection").MsgCollection.keep(message);
    message.chatOf?.keep();
  };
  exports.fromOutside = async ({ target, field, text, key }) => {
    const message = await require("WAWebMsgFind").load(target);
    if (message && String(message.latestEditMsgKey) !== key) exports.apply(message, field, text, key);
  };
});

__d("WAWebSendMessageEditAction", ["WAWebSocketModel", "WAWebEdit"], (exports, require) => {
  exports.addAndSendMessageEdit = async (message, edit) => {
    const field = message.type === "chat" ? "body" : "caption";
    const text = field === "body" ? edit.body : edit.caption;
    await require("WAWebSocketModel").Socket.requestSoon("edit", { target: String(message.id), key: String(edit.id), text });
    require("WAWebEdit").apply(message, field, text, String(edit.id));
  };
});

__d("WAWebMsgActionCapability", ["WAWebMsgModel"], exports => {
  const EDIT_SECONDS = 15 * 60; // WhatsApp's own limit
  const young = message => Date.now() / 1000 - message.t < EDIT_SECONDS;
  exports.canEditMsg = message => message.id.fromMe && message.type === "chat" && message.ack > 0 && young(message);
  exports.canReplyMsg = message => message.type !== "revoked" && message.type !== "ciphertext";
});

__d("WAWebMsgCaptionCapability", [], exports => {
  exports.canEditCaption = message => message.id.fromMe && ["image", "video", "document"].includes(message.type) && message.ack > 0;
});

__d("WAWebRevoke", ["WAWebMsgFind", "WAWebMsgCollection", "WAWebChatCollection", "WAWebSocketModel", "WAWebMsgKey", "WAWebModelStorage"], (exports, require) => {
  const MsgKey = require("WAWebMsgKey").default;
  const { MsgCollection } = require("WAWebMsgCollection");
  const { ChatCollection } = require("WAWebChatCollection");

  const empty = message => {
    message.set({ body: undefined, caption: undefined, mediaData: undefined, directPath: undefined, filehash: undefined, type: "revoked" });
    MsgCollection.keep(message);
    ChatCollection.get(message.id.remote)?.keep();
  };

  exports.revokeForEveryone = async (chat, list) => {
    for (const message of list) {
      await require("WAWebSocketModel").Socket.requestSoon("revoke", { target: String(message.id) });
      empty(message);
    }
    return "OK";
  };
  exports.deleteHere = async (chat, list) => {
    for (const message of list) {
      chat.msgs.remove(message);
      MsgCollection.remove(message);
      await require("WAWebModelStorage").remove("message", String(message.id));
    }
  };
  // Somebody else deleted a message: told as a protocol message, like any that arrives.
  exports.take = ({ target, id, from_me: fromMe }) => {
    const key = MsgKey.fromString(target);
    const author = key.participant ?? (key.fromMe ? require("WAWebUserPrefsMeUser").getMaybeMeLidUser() : key.remote);
    const me = require("WAWebUserPrefsMeUser").getMaybeMeLidUser();
    return MsgCollection.processMultipleMessages(key.remote, [{
      type: "protocol", subtype: "sender_revoke", isNewMsg: true, protocolMessageKey: key, author,
      id: new MsgKey({ fromMe, remote: key.remote, id, participant: key.participant }),
      from: fromMe ? me : key.remote, to: fromMe ? key.remote : me, t: Math.floor(Date.now() / 1000),
    }]);
  };
  exports.fromOutside = async ({ protocolMessageKey }) => {
    const message = await require("WAWebMsgFind").load(protocolMessageKey);
    if (message) empty(message);
  };
});
