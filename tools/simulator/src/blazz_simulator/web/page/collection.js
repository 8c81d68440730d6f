// Collections of models, found by the text of their id.
__d("WAWebCollection", ["WAWebEventEmitter"], (exports, require) => {
  const EventEmitter = require("WAWebEventEmitter").default;

  const key = id => (id === null || id === undefined ? "" : typeof id === "string" ? id : String(id._serialized ?? id.id ?? id));

  class Collection extends EventEmitter {
    constructor() {
      super();
      if (!this.constructor.model) throw new Error("Collection initialized without model");
      this.modelClass = this.constructor.model;
      this._models = [];
      this._index = new Map();
    }

    get length() { return this._models.length; }
    get(id) { return this._index.get(key(id)); }
    assertGet(id) {
      const model = this.get(id);
      if (!model) throw new Error(`There is no ${key(id)} here`);
      return model;
    }

    add(values, options = {}) {
      const added = [values].flat().map(value => this._addOne(value, options));
      return Array.isArray(values) ? added : added[0];
    }

    _addOne(value, options) {
      const known = this._index.get(key(value));
      if (known) {
        if (options.merge && known !== value) known.set(value.attributes ?? value);
        return known;
      }
      const model = this.isModel(value) ? value : new this.modelClass(value, { collection: this });
      this._models.push(model);
      this._index.set(key(model), model);
      (model._homes ??= new Set()).add(this);
      if (!options.silent) this.trigger("add", model, this, options);
      return model;
    }

    set(values, options) { return this.add(values, { merge: true, ...options }); }
    gadd(value, options) { return this.add(this.isModel(value) ? value : { id: value }, options); }

    remove(values, options = {}) {
      return [values].flat().map(value => {
        const model = this.get(value);
        if (!model) return undefined;
        this._index.delete(key(model));
        this._models.splice(this._models.indexOf(model), 1);
        model._homes?.delete(this);
        if (!options.silent) this.trigger("remove", model, this);
        return model;
      });
    }

    reset() { this.remove(this._models.slice(), { silent: true }); this.trigger("reset", this); }

    isModel(value) { return value instanceof this.modelClass; }
    getModelsArray() {
      const order = this.constructor.comparator;
      return order ? this._models.sort(order) : this._models;
    }
    sort() { this.trigger("sort"); return this; }
    toArray() { return this.getModelsArray().slice(); }
    at(position) { return this.getModelsArray().at(position); }
    head() { return this.at(0); }
    last() { return this.at(-1); }
    includes(model) { return this._index.has(key(model)); }
    where(ids) { return ids.map(id => this.get(id)).filter(Boolean); }
    findFirst(test) { return this.getModelsArray().find(test); }
    serialize() { return this.map(model => model.serialize()); }
    toJSON() { return this.serialize(); }
  }
  for (const name of ["indexOf", "lastIndexOf", "every", "some", "forEach", "map", "filter", "reduce", "slice"]) {
    Collection.prototype[name] = function (...args) { return this.getModelsArray()[name](...args); };
  }
  exports.default = Collection;
});

__d("WAWebBaseCollection", ["WAWebCollection"], (exports, require) => {
  const Collection = require("WAWebCollection").default;

  class BaseCollection extends Collection {
    // Collections whose models live at the server ask it here.
    async findQuery() { return undefined; }

    async find(id) {
      const known = this.get(id);
      if (known) return known;
      const found = await this.findQuery(id);
      return found === undefined ? undefined : this.add(found);
    }

    async update(id) { return this.find(id); }
    handle(values) { return this.set(values); }
    gaddUp(id) { return this.gadd(id); }
    isStateStale() { return false; }
    saveToCache() {}
    initializeFromCache(values) { this.add(values, { silent: true }); }
  }
  exports.BaseCollection = BaseCollection;
});
