// Addresses of people, groups and lists.
__d("WAWebWid", [], exports => {
  const text = value => (typeof value === "string" ? value : value?._serialized ?? "");
  const server = value => text(value).split("@")[1] ?? "";

  class Wid {
    constructor(id) {
      const [user, host] = id.split("@");
      const [name, device] = user.split(":");
      const [account, agent] = name.split(".");
      this.server = host === "s.whatsapp.net" ? "c.us" : host;
      this.user = account;
      if (agent !== undefined) this.agent = agent;
      if (device !== undefined) this.device = Number(device);
      this._serialized = `${user}@${this.server}`;
    }

    equals(other) { return text(other) === this._serialized; }
    isGreaterThan(other) { return this._serialized > text(other); }
    isLessThan(other) { return this._serialized < text(other); }
    isUser() { return this.server === "c.us" || this.server === "lid"; }
    isUserNotPSA() { return this.isUser() && !this.isPSA(); }
    isLid() { return this.server === "lid"; }
    isGroup() { return this.server === "g.us"; }
    isGroupCall() { return this.server === "call"; }
    isBroadcast() { return this.server === "broadcast"; }
    isStatus() { return this._serialized === "status@broadcast"; }
    isStatusV3() { return this.isStatus(); }
    isNewsletter() { return this.server === "newsletter"; }
    isBot() { return this.server === "bot"; }
    isPSA() { return this._serialized === "0@c.us"; }
    isServer() { return this._serialized === "server@c.us"; }
    isCompanion() { return Boolean(this.device); }
    isOfficialBizAccount() { return false; }
    isSameAccount(other) { return this.user === other?.user && this.server === other?.server; }
    getDeviceId() { return this.device ?? 0; }
    getSignalAddress() { return `${this.user}.${this.getDeviceId()}`; }
    toJid() { return this._serialized.replace("@c.us", "@s.whatsapp.net"); }
    toString() { return this._serialized; }
    toJSON() { return this._serialized; }

    static isWid(value) { return /^[^@\s]+@(c\.us|lid|g\.us|broadcast|newsletter|call|bot|s\.whatsapp\.net)$/.test(text(value)); }
    static isXWid(name, value) { return server(value) === name; }
    static equals(a, b) { return text(a) === text(b); }
    static isUser(value) { return ["c.us", "lid"].includes(server(value)); }
    static isLid(value) { return server(value) === "lid"; }
    static isGroup(value) { return server(value) === "g.us"; }
    static isGroupCall(value) { return server(value) === "call"; }
    static isBroadcast(value) { return server(value) === "broadcast"; }
    static isNewsletter(value) { return server(value) === "newsletter"; }
    static isStatus(value) { return text(value) === "status@broadcast"; }
    static isStatusV3(value) { return Wid.isStatus(value); }
    static isPSA(value) { return text(value) === "0@c.us"; }
    static isServer(value) { return text(value) === "server@c.us"; }
    static isOfficialBizAccount() { return false; }
    static user(value) { return text(value).split("@")[0]; }
  }
  exports.default = Wid;
});

__d("WAWebWidFactory", ["WAWebWid"], (exports, require) => {
  const Wid = require("WAWebWid").default;

  exports.createWid = value => {
    const id = typeof value === "string" ? value : value?._serialized;
    if (!id || !Wid.isWid(id)) throw new Error(`wid error: invalid wid ${id}`);
    return new Wid(id);
  };
  exports.isWidlike = value => value instanceof Wid || Boolean(value && typeof value === "object" && value.user && value.server);
  exports.createWidFromWidLike = value => {
    if (value instanceof Wid) return value;
    return exports.createWid(typeof value === "object" && value.user ? `${value.user}@${value.server}` : value);
  };
  exports.createUserWidOrThrow = (user, server = "c.us") => exports.createWid(`${String(user).split("@")[0]}@${server}`);
  exports.createUserWid = exports.createUserWidOrThrow;
  exports.createDeviceWid = value => exports.createWid(value);
  exports.createDeviceWidFromUserAndDevice = (user, device) => exports.createWid(`${user}:${device}@c.us`);
  exports.toUserWid = wid => new Wid(`${wid.user}@${wid.server}`);
  exports.toUserWidOrThrow = exports.toUserWid;
  exports.toChatWid = exports.toUserWid;
  exports.toGroupWid = wid => wid;
  exports.userJidToUserWid = jid => exports.toUserWid(exports.createWid(jid));
  exports.maybe = value => (Wid.isWid(value) ? new Wid(value._serialized ?? value) : undefined);
});
