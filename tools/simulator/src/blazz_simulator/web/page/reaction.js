// Reactions.
__d("WAWebReaction", ["WAWebMsgFind", "WAWebMsgCollection"], (exports, require) => {
  exports.take = async ({ parent, text, key, sender }) => {
    const message = await require("WAWebMsgFind").load(parent);
    const t = Date.now();
    exports.note(message, sender, { text, key, t });
    require("WAWebReactionsBridge").addOrUpdateReactionsModelCollection({
      msgKey: key, parentMsgKey: parent, reactionText: text, senderUserJid: sender, t, read: false, orphan: message ? 0 : 1,
    }, true);
  };
  exports.note = (message, sender, reaction) => {
    if (!message) return;
    const reactions = { ...message.get("reactions") };
    if (reaction.text) reactions[sender] = reaction;
    else delete reactions[sender];
    message.set({ reactions });
    require("WAWebMsgCollection").MsgCollection.keep(message);
  };
});

__d("WAWebReactionsBridge", [], exports => { exports.addOrUpdateReactionsModelCollection = () => {}; });

__d("WAWebSendReactionMsgAction", ["WAWebSocketModel", "WAWebMsgKey", "WAWebReaction"], (exports, require) => {
  exports.sendReactionToMsg = async (message, text) => {
    const MsgKey = require("WAWebMsgKey").default;
    const me = require("WAWebUserPrefsMeUser");
    const { remote } = message.id;
    const from = remote.server === "c.us" ? me.getMaybeMePnUser() : me.getMaybeMeLidUser();
    const key = new MsgKey({ fromMe: true, remote, id: await MsgKey.newId(), participant: remote.isGroup() ? from : undefined });
    await require("WAWebSocketModel").Socket.requestSoon("react", { parent: String(message.id), key: String(key), text });
    require("WAWebReaction").note(message, String(from), { text, key: String(key), t: Date.now() });
    return "OK";
  };
});

__d("WAWebReactionsCollection", ["WAWebBaseCollection", "WAWebBaseModel"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class Reactions extends BaseModel {}
  defineModel(Reactions, "reactions", ["id", "reactionByMe", "reactions"]);
  class ReactionsCollectionImpl extends BaseCollection {
    static model = Reactions;
    async findQuery(id) { return { id, ...(await require("WAWebGetReactions").getReactions(id)) }; }
  }
  exports.ReactionsCollection = new ReactionsCollectionImpl();
});

__d("WAWebGetReactions", ["WAWebMsgFind", "WAWebMsgKey", "WAWebUserPrefsMeUser"], (exports, require) => {
  const MsgKey = require("WAWebMsgKey").default;
  exports.getReactions = async id => {
    const message = await require("WAWebMsgFind").load(id);
    const groups = new Map();
    let reactionByMe;
    for (const [sender, { text, key, t }] of Object.entries(message?.get("reactions") ?? {})) {
      const mine = require("WAWebUserPrefsMeUser").isSerializedWidMe(sender);
      const entry = { msgKey: MsgKey.fromString(key), parentMsgKey: message.id, reactionText: text, read: true, senderUserJid: sender, orphan: 0, timestamp: t };
      if (mine) reactionByMe = entry;
      const group = groups.get(text) ?? groups.set(text, { aggregateEmoji: text, hasReactionByMe: false, senders: [] }).get(text);
      group.hasReactionByMe ||= mine;
      group.senders.push(entry);
    }
    return { reactionByMe, reactions: [...groups.values()] };
  };
});
