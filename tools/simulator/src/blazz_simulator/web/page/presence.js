// Who types, and telling others that we do.
__d("WAWebPresenceCollection", ["WAWebBaseCollection", "WAWebBaseModel", "WAWebWidFactory", "WAWebSocketModel"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  const { createWid } = require("WAWebWidFactory");

  class Chatstate extends BaseModel {}
  defineModel(Chatstate, "chatstate", ["id", "type", "t", "deny"]);
  class ChatstateCollection extends BaseCollection { static model = Chatstate; }

  class Presence extends BaseModel {
    initialize() { this.chatstates = new ChatstateCollection(); }
    get isUser() { return this.id.isUser(); }
    get isGroup() { return this.id.isGroup(); }
    async subscribe() {
      if (this.isSubscribed) return;
      this.isSubscribed = true;
      await require("WAWebSocketModel").Socket.request("presence", { address: String(this.id) }).catch(() => { this.isSubscribed = false; });
    }
  }
  defineModel(Presence, "presence", ["id", "isOnline", "hasData", "isSubscribed", "chatstate"]);

  class PresenceCollectionImpl extends BaseCollection {
    static model = Presence;
    of(id) { return this.get(id) ?? this.add({ id, isOnline: false, hasData: false, isSubscribed: false, chatstate: new Chatstate({ id }) }, { silent: true }); }
    async find(id) { return this.of(typeof id === "string" ? createWid(id) : id); }
  }
  exports.Presence = Presence;
  exports.Chatstate = Chatstate;
  exports.ChatstateCollection = ChatstateCollection;
  exports.PresenceCollection = new PresenceCollectionImpl();

  exports.take = ({ chat, participant, state }) => {
    const presence = exports.PresenceCollection.of(createWid(chat));
    presence.set({ hasData: true, isOnline: state !== "unavailable" });
    if (participant) presence.chatstates.add({ id: createWid(participant), type: state, t: Math.floor(Date.now() / 1000) }, { merge: true });
    presence.chatstate.set({ t: Math.floor(Date.now() / 1000), type: state });
  };
});

__d("WAWebContactPresenceBridge", ["WAWebPresenceCollection"], (exports, require) => {
  exports.subscribePresence = async wid => require("WAWebPresenceCollection").PresenceCollection.of(wid).subscribe();
  exports.subscribeGroupPresence = wid => { exports.subscribePresence(wid); };
});

__d("WAWebChatPresence", ["WAWebSocketModel"], (exports, require) => {
  const tell = state => chat => require("WAWebSocketModel").Socket.request("typing", { chat: String(chat.id), state }).catch(() => undefined);
  exports.markComposing = tell("composing");
  exports.markRecording = tell("recording");
  exports.markPaused = tell("paused");
  exports.sendPresenceAvailable = () => {};
  exports.sendPresenceUnavailable = () => {};
  exports.clearPresence = () => {};
});
