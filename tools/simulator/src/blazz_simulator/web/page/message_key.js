// A message's key: who wrote it, in which chat, and 3EB0 with 18 hex digits; in a group also by whom.
__d("WAWebMsgKey", ["WAWebWidFactory", "WAWebBytes"], (exports, require) => {
  const { createWid } = require("WAWebWidFactory");

  class MsgKey {
    constructor(options) {
      if (!options) throw new Error("MsgKey error: obj is null/undefined");
      this.fromMe = options.fromMe ?? options.selfDir === "out";
      this.remote = options.remote ?? (this.fromMe ? options.to : options.from);
      if (typeof this.remote === "string") this.remote = createWid(this.remote);
      this.id = options.id;
      if (options.participant) this.participant = options.participant;
      if (!this.remote || !this.id) throw new Error("MsgKey error: a key needs a chat and an id");
      this._serialized = [this.fromMe, this.remote, this.id, this.participant].filter(part => part !== undefined).join("_");
    }

    toString() { return this._serialized; }
    clone() { return new MsgKey(this); }
    equals(other) { return other?._serialized === this._serialized; }

    static fromString(key) {
      if (key instanceof MsgKey) return key;
      const parts = String(key).split("_");
      if (parts.length < 3 || !["true", "false"].includes(parts[0])) throw new Error(`MsgKey error: ${key} is no key`);
      return new MsgKey({
        fromMe: parts[0] === "true",
        remote: createWid(parts[1]),
        id: parts[2],
        participant: parts[3] ? createWid(parts[3]) : undefined,
      });
    }

    static async newId() { return `3EB0${require("WAWebBytes").randomHex(9).toUpperCase()}`; }
  }
  exports.default = MsgKey;
});
