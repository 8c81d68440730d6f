// What the simulator is asked to let go wrong in the page itself.
__d("WAWebTrouble", ["WAWebSocketModel", "WAWebStreamModel", "WAWebBackendEventBus"], (exports, require) => {
  const { Stream } = require("WAWebStreamModel");
  const { BackendEventBus } = require("WAWebBackendEventBus");
  const BROKEN = "WAWebStorageBroken";
  const DEPTH = 9000; // elements in each other: laying them out overflows the renderer's stack, which is a real crash

  exports.conflict = () => {
    require("WAWebSocketModel").Socket.state = "CONFLICT";
    Stream.mode = "CONFLICT";
  };
  exports.deprecate = () => {
    const { Socket } = require("WAWebSocketModel");
    Socket.state = "DEPRECATED_VERSION";
    Stream.set({ mode: "DEPRECATED_VERSION" });
    Stream.needsUpdate = true;
    Socket.socket?.close();
  };
  exports.freeze = seconds => {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end);
  };
  exports.crash = () => {
    let nested = document.createElement("div");
    for (let depth = 0; depth < DEPTH; depth++) {
      const around = document.createElement("div");
      around.append(nested);
      nested = around;
    }
    document.body.append(nested);
    return document.body.offsetHeight;
  };

  // A profile whose storage is broken stays broken until it is cleared.
  exports.isStorageBroken = () => localStorage.getItem(BROKEN) !== null;
  exports.tellStorageBroken = () => BackendEventBus.triggerStorageInitializationError(new Error("The storage could not be opened"));
  exports.storage_error = () => {
    localStorage.setItem(BROKEN, "1");
    exports.tellStorageBroken();
  };
});
