// The module loader: `__d` defines a module, `require` makes it on first use. Scripts that drive the page find every
// module through `require("__debug").modulesMap`, as they do on the real page.
(() => {
  const modulesMap = Object.create(null);

  // A module that is asked for while it is being made gets what there is of it so far, as in any such loader.
  function importNamespace(id) {
    const module = modulesMap[id];
    if (!module) throw new Error(`Requiring unknown module "${id}"`);
    if (!module.exports) {
      module.exports = {};
      module.factory(module.exports, importNamespace);
    }
    return module.exports;
  }

  const require = id => (id === "__debug" ? { modulesMap } : importNamespace(id));

  window.ErrorGuard = { skipGuardGlobal() {} };
  window.importNamespace = importNamespace;
  window.requireLazy = (ids, done) => done(...ids.map(require));
  window.require = require;
  window.__d = (id, deps, factory) => { modulesMap[id] ??= { id, deps, factory, exports: null }; };
})();
