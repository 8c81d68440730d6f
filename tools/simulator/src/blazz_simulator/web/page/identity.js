// Who this page is: its keys, and the phone it is linked to. Kept in local storage, which a browser writes to the disk some
// seconds late, and beside it in IndexedDB, which it writes at once: so that a browser that is killed stays linked.
__d("WAWebIdentity", ["WABase64", "WAWebBytes", "WAWebModelStorage"], (exports, require) => {
  const { encodeB64, decodeB64 } = require("WABase64");
  const { randomBytes } = require("WAWebBytes");
  const KEYS = "WANoiseInfo", DEVICE = "WALinkedDevice", FORGOTTEN = "WAForgottenDevice";

  const disk = require("WAWebModelStorage");
  const read = name => JSON.parse(localStorage.getItem(name) ?? "null");
  let device = read(DEVICE);

  function keys() {
    let known = read(KEYS);
    if (!known) {
      known = { static: encodeB64(randomBytes(32)), identity: encodeB64(randomBytes(32)), secret: encodeB64(randomBytes(32)) };
      localStorage.setItem(KEYS, JSON.stringify(known));
    }
    return known;
  }

  exports.keys = keys;
  exports.pubKey = name => decodeB64(keys()[name]);
  exports.device = () => device;
  exports.setDevice = value => {
    device = value;
    localStorage.setItem(DEVICE, JSON.stringify(value));
    localStorage.setItem("last-wid-md", JSON.stringify(value.me.pn.replace("@", `:${value.device.split(":")[1]}@`)));
    disk.put("meta", { id: DEVICE, device: value, keys: keys() });
  };
  exports.restore = async () => {
    const kept = device ? null : await disk.get("meta", DEVICE);
    if (!kept || kept.device.device === localStorage.getItem(FORGOTTEN)) return;
    localStorage.setItem(KEYS, JSON.stringify(kept.keys));
    exports.setDevice(kept.device);
  };
  exports.setMe = me => { if (device) exports.setDevice({ ...device, me }); };
  exports.forget = () => {
    if (device) localStorage.setItem(FORGOTTEN, device.device); // a reload may come before the disk has heard of it
    device = null;
    disk.remove("meta", DEVICE);
    for (const name of [KEYS, DEVICE, "last-wid-md", "WAWebSettings"]) localStorage.removeItem(name);
  };
});

__d("WAWebNoiseInfo", ["WAWebIdentity"], (exports, require) => {
  const pair = () => ({ privKey: new ArrayBuffer(32), pubKey: require("WAWebIdentity").pubKey("static") });
  exports.waNoiseInfo = { get: async () => ({ recoveryToken: new ArrayBuffer(16), staticKeyPair: pair() }), set() {} };
});

__d("WAWebSignalStore", ["WAWebIdentity"], (exports, require) => {
  exports.waSignalStore = {
    getRegistrationInfo: async () => ({
      registrationId: 1,
      identityKeyPair: { privKey: new ArrayBuffer(32), pubKey: require("WAWebIdentity").pubKey("identity") },
    }),
  };
});

__d("WAWebAdvSignature", ["WAWebIdentity"], (exports, require) => {
  exports.getADVSecretKey = () => require("WAWebIdentity").keys().secret;
  exports.setADVSignedIdentity = () => {};
});

__d("WAWebAuth", ["WAWebIdentity"], (exports, require) => {
  exports.isLoggedIn = () => require("WAWebIdentity").device() !== null;
});

__d("WAWebRegistration", ["WAWebIdentity"], (exports, require) => {
  exports.isRegistered = () => require("WAWebIdentity").device() !== null;
});

__d("WAWebUserPrefsMeUser", ["WAWebIdentity", "WAWebWidFactory"], (exports, require) => {
  const { createWid } = require("WAWebWidFactory");
  const me = name => {
    const device = require("WAWebIdentity").device();
    return device ? createWid(device.me[name]) : undefined;
  };
  const sure = wid => {
    if (!wid) throw new Error("me is not set");
    return wid;
  };
  const withDevice = wid => wid && createWid(`${wid.user}:${require("WAWebIdentity").device().device.split(":")[1]}@${wid.server}`);

  exports.getMaybeMePnUser = () => me("pn");
  exports.getMaybeMeLidUser = () => me("lid");
  exports.getMaybeMeUser = () => me("pn");
  exports.getMePnUserOrThrow = () => sure(me("pn"));
  exports.getMeLidUserOrThrow = () => sure(me("lid"));
  exports.getMaybeMeDevicePn = () => withDevice(me("pn"));
  exports.getMaybeMeDeviceLid = () => withDevice(me("lid"));
  exports.getMeDevicePnOrThrow = () => sure(withDevice(me("pn")));
  exports.getMeDeviceLidOrThrow = () => sure(withDevice(me("lid")));
  exports.getMe = exports.getMaybeMeDevicePn;
  exports.getMaybeMeDisplayName = () => require("WAWebIdentity").device()?.me.name;
  exports.isMeAccount = wid => Boolean(wid) && (wid.equals(me("pn")) || wid.equals(me("lid")));
  exports.isMeUser = exports.isMeAccount;
  exports.isSerializedWidMe = text => [String(me("pn")), String(me("lid"))].includes(text);
});

__d("WAWebUserPrefsInfo", ["WAWebIdentity"], (exports, require) => {
  exports.getPushname = () => require("WAWebIdentity").device()?.me.name ?? "";
  exports.setBrowserId = () => {};
  exports.getUserPrivacySettings = () => ({ about: "all", callAdd: "all", groupAdd: "all", lastSeen: "all", online: "all",
    profilePicture: "all", readReceipts: "all" });
});
