// Events: every model and every collection is one.
__d("WAWebEventEmitter", [], exports => {
  class EventEmitter {
    on(name, listener, context) {
      if (typeof listener !== "function") throw new TypeError("A listener must be a function");
      const all = (this._listeners ??= new Map());
      const known = all.get(name);
      if (known) known.push({ listener, context });
      else all.set(name, [{ listener, context }]);
      return this;
    }

    once(name, listener, context) {
      const wrapped = (...args) => { this.off(name, wrapped); listener.apply(context ?? this, args); };
      wrapped.original = listener;
      return this.on(name, wrapped, context);
    }

    off(name, listener, context) {
      if (!this._listeners) return this;
      for (const key of name === undefined ? [...this._listeners.keys()] : [name]) {
        const kept = (this._listeners.get(key) || []).filter(known =>
          (listener && known.listener !== listener && known.listener.original !== listener) || (context && known.context !== context));
        if (kept.length) this._listeners.set(key, kept);
        else this._listeners.delete(key);
      }
      return this;
    }

    // One listener that throws must not keep the others from hearing.
    trigger(name, ...args) {
      for (const key of [name, "all"]) {
        const known = this._listeners?.get(key);
        if (!known) continue;
        for (const { listener, context } of known.slice()) {
          try { listener.apply(context ?? this, key === "all" ? [name, ...args] : args); }
          catch (error) { console.error(`A listener of ${String(name)} failed:`, error); }
        }
      }
      return this;
    }

    listenTo(other, name, listener) { other.on(name, listener, this); return this; }
    listenToOnce(other, name, listener) { other.once(name, listener, this); return this; }
    listenToAndRun(other, name, listener) { other.on(name, listener, this); listener.call(this); return this; }
    stopListening(other, name, listener) { other?.off(name, listener, this); return this; }
    isListening(name) { return Boolean(this._listeners?.has(name)); }
    bind(...args) { return this.on(...args); }
    unbind(...args) { return this.off(...args); }
    removeListener(...args) { return this.off(...args); }
    removeAllListeners() { this._listeners = undefined; return this; }
    emit(...args) { return this.trigger(...args); }
  }
  exports.default = EventEmitter;
});
