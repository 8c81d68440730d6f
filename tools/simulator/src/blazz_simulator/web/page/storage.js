// What a reload or a restart of the browser finds again: chats, contacts, groups, messages, and what waits to be sent.
__d("WAWebModelStorage", [], exports => {
  const NAME = "model-storage", VERSION = 1;
  let opened = null, queue = [], flushing = null;

  function open() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        const db = request.result;
        for (const name of ["chat", "contact", "group-metadata", "pending", "meta"]) db.createObjectStore(name, { keyPath: "id" });
        db.createObjectStore("message", { keyPath: "id" }).createIndex("chat", ["remote", "sort"]);
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opened;
  }

  const done = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const store = async name => (await open()).transaction(name).objectStore(name);

  // Writes of one moment share a transaction, and the promise of each resolves when all of them are on the disk.
  async function flush() {
    const db = await open();
    const work = queue;
    queue = [];
    flushing = null;
    if (!work.length) return;
    await new Promise((resolve, reject) => {
      const transaction = db.transaction([...new Set(work.map(item => item.store))], "readwrite");
      for (const { store: name, value, remove } of work) {
        const target = transaction.objectStore(name);
        if (remove !== undefined) target.delete(remove);
        else target.put(value);
      }
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  function write(item) {
    queue.push(item);
    flushing ??= Promise.resolve().then(flush);
    return flushing;
  }

  exports.put = (name, value) => write({ store: name, value });
  exports.remove = (name, id) => write({ store: name, remove: id });
  exports.get = async (name, id) => done((await store(name)).get(id));
  exports.getMany = async (name, ids) => {
    const source = await store(name);
    return Promise.all(ids.map(id => done(source.get(id))));
  };
  exports.getAll = async name => done((await store(name)).getAll());

  // Up to `count` messages of a chat before or after a moment, oldest first.
  exports.messages = async (remote, sort, count, direction) => {
    const index = (await store("message")).index("chat");
    const range = direction === "after"
      ? IDBKeyRange.bound([remote, sort], [remote, Infinity], true)
      : IDBKeyRange.bound([remote, -Infinity], [remote, sort], false, true);
    const found = [];
    await new Promise((resolve, reject) => {
      const request = index.openCursor(range, direction === "after" ? "next" : "prev");
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor || found.length >= count) return resolve();
        found.push(cursor.value);
        cursor.continue();
      };
      request.onerror = () => reject(request.error);
    });
    return direction === "after" ? found : found.reverse();
  };

  exports.destroy = async () => {
    const db = await open().catch(() => null);
    db?.close();
    opened = null;
    await new Promise(resolve => {
      const request = indexedDB.deleteDatabase(NAME);
      request.onsuccess = request.onerror = request.onblocked = resolve;
    });
  };
});
