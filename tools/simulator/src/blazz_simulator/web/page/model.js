// Models: properties that tell when they change.
__d("WAWebBaseModel", ["WAWebEventEmitter"], (exports, require) => {
  const EventEmitter = require("WAWebEventEmitter").default;

  function define(prototype, name) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get() { return this.attributes?.[name]; },
      set(value) { this.set(name, value); },
    });
  }

  class BaseModel extends EventEmitter {
    constructor(properties = {}, options = {}) {
      super();
      this.attributes = {};
      this.collection = options.collection;
      this.set(properties, { silent: true });
      this.initialize();
    }

    initialize() {}

    get(name) { return this.attributes[name]; }

    set(name, value, options) {
      if (typeof name === "object") {
        for (const key of Object.keys(name)) this._put(key, name[key], value);
      } else {
        this._put(name, value, options);
      }
      return this;
    }

    _put(name, value, options) {
      if (!(name in this)) define(Object.getPrototypeOf(this), name);
      const previous = this.attributes[name];
      if (previous === value) return;
      this.attributes[name] = value;
      if (value instanceof BaseModel && name !== "collection") value._owner = { model: this, name };
      if (!options?.silent) this.trigger(`change:${name}`, this, value, previous);
    }

    unset(names) { for (const name of [names].flat()) this.set(name, undefined); }

    // What happens to a model is heard on the collections it is in, and on the model it is part of.
    trigger(name, ...args) {
      super.trigger(name, ...args);
      if (this._homes) for (const home of this._homes) home.trigger(name, ...args);
      if (this._owner && name.startsWith("change:")) {
        this._owner.model.trigger(`change:${this._owner.name}.${name.slice(7)}`, ...args);
      }
      return this;
    }

    hasObservers() { return Boolean(this._listeners?.size); }
    incObservers() {}
    decObservers() {}
    addChild(name, child) { this.set(name, child); }
    getDefault() { return undefined; }
    hasUnfiredChanges() { return false; }
    clear() { for (const name of Object.keys(this.attributes)) this.unset(name); }
    reset() { this.clear(); }
    delete() { for (const home of [...(this._homes ?? [])]) home.remove(this); }
    serialize() { return { ...this.attributes }; }
    toJSON() { return this.serialize(); }
  }

  exports.BaseModel = BaseModel;
  // `names` become properties of every model of the class, also before they have a value.
  exports.defineModel = (model, proxyName, names) => {
    model.prototype.proxyName = proxyName;
    model.prototype.__props = names;
    for (const name of names) if (!(name in model.prototype)) define(model.prototype, name);
    return model;
  };
});
