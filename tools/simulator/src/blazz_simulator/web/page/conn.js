// The parts that tell how the page is doing: the code it shows, the mode it is in, the commands it takes.
__d("WAWebConnModel", ["WAWebBaseModel"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class ConnImpl extends BaseModel {
    get isSMB() { return false; }
    canSetMyPushname() { return false; }
  }
  defineModel(ConnImpl, "conn", ["id", "ref", "refTTL", "refId", "wid", "connected", "platform", "pushname", "battery", "plugged", "tos", "is24h", "phone"]);
  exports.ConnImpl = ConnImpl;
  exports.Conn = new ConnImpl({ id: "conn", platform: "android" });
});

__d("WAWebStreamModel", ["WAWebBaseModel"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class StreamImpl extends BaseModel {
    get displayInfo() { return this.info; }
    takeover() { require("WAWebSocketModel").Socket.takeover(); }
    markAvailable() { this.available = true; }
    markUnavailable() { this.available = false; }
    unobscure() {}
    sendAvailability() {}
  }
  defineModel(StreamImpl, "stream", ["info", "mode", "obscurity", "needsUpdate", "available", "isHardRefresh", "uiActive", "phoneAuthed", "resumeCount"]);
  exports.Stream = new StreamImpl({ mode: "SYNCING", info: "OPENING", available: false, needsUpdate: false });
});

__d("WAWebNetworkStatus", ["WAWebBaseModel"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class NetworkStatus extends BaseModel {
    async checkOnline() { return this.online; }
    async waitIfOffline() {
      if (!this.online) await new Promise(resolve => this.once("change:online", resolve));
    }
  }
  defineModel(NetworkStatus, "network_status", ["online", "simulatedOfflineConditions"]);
  exports.default = new NetworkStatus({ online: true });
});

__d("WAWebBackendEventBus", ["WAWebEventEmitter"], (exports, require) => {
  const EventEmitter = require("WAWebEventEmitter").default;
  const names = ["app_state_sync_completed", "logout", "refresh_qr", "starting_logout", "on_initial_chat_synced",
    "on_recent_chat_history_synced", "on_full_chat_history_synced", "on_critical_sync_done", "new_history_sync_chunk_processed",
    "storage_initialization_error", "socket_stream_disconnected", "open_socket_stream", "reconnect_socket", "set_socket_state",
    "unexpected_logout_modal", "initial_load_ready", "main_stream_mode_ready", "service_unavailable_503", "offline_process_ready",
    "offline_delivery_end", "offline_delivery_state_reset", "on_ab_props_update", "ab_props_loaded"];
  class BackendEventBus extends EventEmitter {
    isMainStreamReadyMd = false;
    isOfflineDeliveryEnd = false;
    onStorageInitializationError(handler) { return this.on("storage_initialization_error", handler); }
    triggerStorageInitializationError(error) { this.trigger("storage_initialization_error", error); }
  }
  exports.BackendEvent = Object.fromEntries(names.map(name => [name.toUpperCase(), name]));
  exports.BackendEventBus = new BackendEventBus();
});

__d("WAWebCmd", ["WAWebEventEmitter"], (exports, require) => {
  const EventEmitter = require("WAWebEventEmitter").default;
  class CmdImpl extends EventEmitter {
    isMainLoaded = false;
    uiBusy = 0;
    mainLoaded() { this.isMainLoaded = true; this.trigger("main_loaded"); }
    logout() { this.trigger("logout"); }
    refreshQR() { this.trigger("refresh_qr"); require("WAWebSocketModel").Socket.refreshQR(); }
    async sendRevokeMsgs(chat, { list }) { await require("WAWebRevoke").revokeForEveryone(chat, list); }
    async sendDeleteMsgs(chat, { list }) { await require("WAWebRevoke").deleteHere(chat, list); }
    setActiveFilter() { this.trigger("set_active_filter"); }
    async openChatBottom(params) { (params.chat ?? params).setActive(true); return true; }
    async openChatFromUnread(params) { return this.openChatBottom(params); }
    async openChatAt(params) { return this.openChatBottom(params); }
    closeChat(chat) { chat?.setActive(false); }
  }
  exports.CmdImpl = CmdImpl;
  exports.Cmd = new CmdImpl();
});
