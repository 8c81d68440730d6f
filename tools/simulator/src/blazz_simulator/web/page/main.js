// Start: what was kept is there again before the server is asked for news.
(async () => {
  window.Debug = { VERSION: window.require("WAWebBuildConstants").VERSION_STR };
  const { Socket } = window.require("WAWebSocketModel");
  const trouble = window.require("WAWebTrouble");
  window.require("WAWebScreen").start();
  if (trouble.isStorageBroken()) {
    setInterval(trouble.tellStorageBroken, 2000); // again and again: whoever listens may not be there yet
    return;
  }
  window.addEventListener("offline", () => Socket.cut());
  window.addEventListener("online", () => Socket.open());
  try {
    await window.require("WAWebIdentity").restore();
    if (window.require("WAWebIdentity").device()) {
      await window.require("WAWebContactCollection").ContactCollection.restore();
      await window.require("WAWebChatCollection").ChatCollection.restore();
      await window.require("WAWebGroupMetadataCollection").default.restore();
      await window.require("WAWebPending").restore();
      window.require("WAWebBackendEventBus").BackendEventBus.trigger("initial_load_ready");
    }
  } catch (error) {
    console.warn("The storage could not be read:", error);
    trouble.tellStorageBroken();
  }
  Socket.open();
})();
