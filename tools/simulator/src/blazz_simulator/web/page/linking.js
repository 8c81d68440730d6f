// Linking with a code that is typed into the phone.
__d("WAWebLinkDeviceEvents", ["WAWebEventEmitter"], (exports, require) => {
  const EventEmitter = require("WAWebEventEmitter").default;
  class LinkDeviceEvents extends EventEmitter {
    triggerRefreshAltLinkingCode() { this.trigger("link_device_events:refresh_alt_linking_code"); }
  }
  exports.WAWebLinkDeviceEvents = new LinkDeviceEvents();
});

__d("WAWebAltDeviceLinkingApi", ["WAWebSocketModel"], (exports, require) => {
  const dashed = code => `${code.slice(0, 4)}-${code.slice(4)}`;
  exports.initializeAltDeviceLinking = async () => {};
  exports.genLinkDeviceCodeForPhoneNumber = async phone => {
    const { code } = await require("WAWebSocketModel").Socket.request("pairing_code", { phone });
    require("WAWebLinking").shown(dashed(code));
    return code;
  };
});

__d("WAWebLinking", ["WAWebLinkDeviceEvents"], (exports, require) => {
  const { WAWebLinkDeviceEvents: events } = require("WAWebLinkDeviceEvents");
  exports.code = null;
  exports.shown = code => { exports.code = code; require("WAWebScreen").draw(); };
  exports.expired = () => { exports.code = null; require("WAWebScreen").draw(); events.triggerRefreshAltLinkingCode(); };
  exports.primaryHello = () => { exports.code = null; events.trigger("link_device_events:primary_hello_received"); };
});

__d("WAWebLidSetting", [], exports => {
  exports.value = JSON.parse(localStorage.getItem("WAWebSettings") ?? "true");
  exports.set = value => { exports.value = value; localStorage.setItem("WAWebSettings", JSON.stringify(value)); };
});
