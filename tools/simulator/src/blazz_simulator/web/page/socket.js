// The connection to the server: opened, lost and opened again, taken over by another page, logged out.
__d("WAWebSocketModel", ["WAWebBaseModel", "WAWebConnModel", "WAWebStreamModel", "WAWebBackendEventBus", "WAWebIdentity", "WAWebNetworkStatus", "WAWebCmd", "WAWebLogoutReason"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  const { Conn } = require("WAWebConnModel");
  const { Stream } = require("WAWebStreamModel");
  const { Cmd } = require("WAWebCmd");
  const { BackendEventBus } = require("WAWebBackendEventBus");
  const Network = require("WAWebNetworkStatus").default;
  const identity = require("WAWebIdentity");

  const RETRY_MS = [100, 200, 400, 800]; // then every 0.8 s: what is gone for a moment shall be noticed soon
  const SOON_MS = 10000;
  const RELOAD_MS = 150; // whoever listens to a logout hears of it before the page is loaded anew
  let rids = 0, tries = 0, retry = null;

  class SocketModel extends BaseModel {
    requests = new Map();
    initConn() {}

    open() {
      clearTimeout(retry);
      if (this.socket || !navigator.onLine) return;
      this.state = this.state === "CONFLICT" ? "CONFLICT" : "OPENING";
      const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/web/socket`);
      this.socket = socket;
      socket.onopen = () => { if (this.socket === socket) this.hello(); };
      socket.onmessage = ({ data }) => {
        if (this.socket !== socket) return;
        for (const frame of JSON.parse(data)) this.take(frame);
      };
      socket.onclose = () => { if (this.socket === socket) this.lost(); };
    }

    async hello() {
      const device = identity.device();
      const { os, name } = require("WAWebBrowser").default.info();
      const platform = [os, name].filter(Boolean).join(" · ");
      if (device) this.tell({ k: "hello", device: device.device, token: device.token, platform, since: await require("WAWebReceive").since() });
      else this.tell({ k: "hello", keys: identity.keys(), platform });
    }

    tell(frame) { if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame)); }

    // Ask the server; the answer may never come, and the connection may go first.
    request(kind, frame) {
      if (this.socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error("not connected"));
      return new Promise((resolve, reject) => {
        const rid = ++rids;
        this.requests.set(rid, { resolve, reject });
        this.tell({ ...frame, k: kind, rid });
      });
    }

    // The same, once the page is connected: what people ask for while it is not waits a while.
    async requestSoon(kind, frame) {
      if (this.state !== "CONNECTED") {
        await new Promise((resolve, reject) => {
          const timer = setTimeout(() => { this.off("change:state", check); reject(new Error("not connected")); }, SOON_MS);
          const check = () => {
            if (this.state !== "CONNECTED") return;
            this.off("change:state", check);
            clearTimeout(timer);
            resolve();
          };
          this.on("change:state", check);
        });
      }
      return this.request(kind, frame);
    }

    take(frame) {
      if (frame.rid !== undefined) {
        const waiting = this.requests.get(frame.rid);
        this.requests.delete(frame.rid);
        if (frame.error) waiting?.reject(Object.assign(new Error(`The server refused: ${frame.error}`), { code: frame.error }));
        else waiting?.resolve(frame);
        return;
      }
      const handler = HANDLERS[frame.k];
      if (handler) handler.call(this, frame);
      else require("WAWebReceive").take(frame);
    }

    lost() {
      this.socket = null;
      for (const { reject } of this.requests.values()) reject(new Error("the connection was lost"));
      this.requests.clear();
      if (["CONFLICT", "DEPRECATED_VERSION", "UNLAUNCHED"].includes(this.state)) return;
      this.state = "TIMEOUT";
      this.stream = "DISCONNECTED";
      Stream.info = "OFFLINE";
      if (identity.device()) Stream.mode = "OFFLINE";
      Network.online = false;
      BackendEventBus.trigger("socket_stream_disconnected");
      retry = setTimeout(() => this.open(), RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    }

    answered() { tries = 0; Network.online = true; }
    cut() { this.socket?.close(); if (this.socket) this.lost(); }
    poke() { this.refreshQR(); }
    refreshQR() { this.tell({ k: "refresh" }); }
    clearCredentials() { identity.forget(); }

    takeover() {
      if (this.state !== "CONFLICT") return;
      Stream.set({ mode: "SYNCING", info: "RESUMING" });
      this.state = "OPENING";
      if (this.socket) require("WAWebReceive").since().then(since => this.tell({ k: "takeover", since }));
      else this.open();
    }

    logout() {
      BackendEventBus.trigger("starting_logout");
      this.request("logout", {}).catch(() => this.loggedOut("user_initiated"));
    }

    async loggedOut(reason) {
      const reasons = require("WAWebLogoutReason");
      this.state = "UNLAUNCHED";
      reasons.setPrevLogoutReasonCode(reasons.getErrorCodeFromLogoutReason(reason));
      identity.forget();
      Conn.set({ ref: null, connected: false });
      BackendEventBus.trigger("logout");
      Cmd.logout();
      await require("WAWebModelStorage").destroy();
      setTimeout(() => location.reload(), RELOAD_MS);
    }
  }
  defineModel(SocketModel, "socket", ["socket", "state", "stream", "hasSynced", "launched", "retryTimestamp", "canSend"]);

  const HANDLERS = {
    ref({ ref, ttl }) {
      this.answered();
      if (this.state !== "PAIRING") this.state = "UNPAIRED";
      Conn.set({ refTTL: ttl, connected: false });
      Conn.ref = ref;
      Stream.set({ mode: "QR", info: "NORMAL" });
    },
    idle() {
      Conn.ref = null;
      this.state = "UNPAIRED_IDLE";
    },
    paired({ device, token, me, lid }) {
      this.state = "PAIRING";
      Stream.set({ mode: "SYNCING", info: "PAIRING" });
      identity.setDevice({ device, token, me });
      require("WAWebLidSetting").set(lid);
      require("WAWebLinking").primaryHello();
      Conn.set({ ref: null, wid: require("WAWebUserPrefsMeUser").getMaybeMePnUser(), pushname: me.name });
      this.hello();
    },
    pairing_expired() { require("WAWebLinking").expired(); },
    conflict() {
      this.state = "CONFLICT";
      Stream.mode = "CONFLICT";
    },
    logout({ reason }) { this.loggedOut(reason); },
    do({ what, seconds }) { require("WAWebTrouble")[what](seconds); },
  };

  exports.SocketModel = SocketModel;
  exports.Socket = new SocketModel({ state: "UNLAUNCHED", stream: "DISCONNECTED" });
});
