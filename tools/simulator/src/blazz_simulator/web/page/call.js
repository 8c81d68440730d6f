// Calls that come in; they can be seen and rejected here, not answered.
__d("WAWebCallModel", ["WAWebBaseModel", "WAWebCallState"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class CallModel extends BaseModel {
    getState() { return this.state; }
    setState(state) { this.state = state; }
  }
  exports.default = defineModel(CallModel, "call", ["id", "peerJid", "isGroup", "isVideo", "offerTime", "outgoing", "state", "webClientShouldHandle", "userEndedCall"]);
});

__d("WAWebCallCollection", ["WAWebBaseCollection", "WAWebCallModel", "WAWebCallState", "WAWebWidFactory"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { CallState } = require("WAWebCallState");
  const { createWid } = require("WAWebWidFactory");

  class CallCollection extends BaseCollection {
    static model = require("WAWebCallModel").default;
    activeCall = null;
    isInConnectedCall = false;
    processIncomingCall(call) { return this.add({ ...call, outgoing: false, state: CallState.ReceivedCall }); }
    setActiveCall(call) { this.activeCall = call; }
  }
  exports.default = new CallCollection();

  exports.take = ({ id, peer, pn, video }) => {
    require("WAWebContactCollection").ContactCollection.learn({ id: peer, pn });
    exports.default.processIncomingCall({ id, peerJid: createWid(peer), isGroup: false, isVideo: video, offerTime: Math.floor(Date.now() / 1000) });
  };
});

// The few raw stanzas that are sent by those who drive the page: a rejected call.
__d("WAWap", [], exports => {
  class WapNode {
    constructor(tag, attrs = {}, content = null) { Object.assign(this, { tag, attrs, content }); }
    toString() { return `<${this.tag}>`; }
  }
  let numbers = 0;
  exports.WapNode = WapNode;
  exports.wap = (tag, attrs, content) => new WapNode(tag, attrs, content);
  exports.generateId = () => `${Date.now() % 100000}.${++numbers}`;
  exports.DROP_ATTR = Symbol("DROP_ATTR");
});

__d("WASmaxJsx", ["WAWap"], (exports, require) => { exports.smax = (tag, attrs, content) => new (require("WAWap").WapNode)(tag, attrs, content); });

__d("WAComms", ["WAWebSocketModel", "WAWebCallCollection", "WAWebCallState"], (exports, require) => {
  exports.sendSmaxStanza = async node => {
    const reject = node.tag === "call" && node.content?.find(part => part.tag === "reject");
    if (!reject) throw new Error(`This server does not know <${node.tag}>`);
    const id = reject.attrs["call-id"];
    await require("WAWebSocketModel").Socket.request("reject", { call: id });
    require("WAWebCallCollection").default.get(id)?.setState(require("WAWebCallState").CallState.CallStateEnding);
    return node;
  };
  exports.startWebComms = async () => {};
  exports.stopComms = async () => {};
  exports.startHandlingRequests = async () => {};
});

__d("WAWebManageE2ESessionsJob", [], exports => { exports.ensureE2ESessions = async () => {}; });
