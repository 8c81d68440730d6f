// What people see: the code to scan, how the page is doing, the chats with their last messages, and one that is clicked.
__d("WAWebScreen", ["WAWebConnModel", "WAWebStreamModel", "WAWebChatCollection", "WAWebMsgCollection", "WAWebSocketModel"], (exports, require) => {
  const SHOWN = 40, WAIT_MS = 250; // chats drawn, and how seldom: drawing must not slow sending
  const app = document.getElementById("app");
  let timer = null, opened = null; // `opened`: the chat that somebody looks at. Looking tells nobody: the page's drivers say what is read

  const el = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children.filter(child => child !== undefined && child !== ""));
    return node;
  };
  const notice = (title, text, ...more) => el("div", { className: "notice" }, el("h1", {}, title), el("p", {}, text), ...more);
  const TICKS = { "-1": "⚠", 0: "🕓", 1: "✓", 2: "✓✓", 3: "✓✓", 4: "✓✓" };
  const ICONS = { image: "📷 Photo", video: "🎥 Video", audio: "🎵 Audio", ptt: "🎤 Voice message", sticker: "Sticker", document: "📄 Document",
    location: "📍 Location", vcard: "👤 Contact", multi_vcard: "👥 Contacts", revoked: "🚫 This message was deleted" };

  const words = message => (message.type === "chat" ? String(message.body ?? "") : [ICONS[message.type] ?? String(message.type), message.caption].filter(Boolean).join(" "));

  const time = t => (t ? new Date(t * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "");
  const tick = message => (message.id.fromMe ? el("span", { className: message.ack >= 3 ? "read" : "" }, ` ${TICKS[message.ack] ?? ""} `) : "");
  const titleOf = chat => String(chat.title() || chat.id.user);

  function avatarOf(chat) {
    const hue = [...String(chat.id)].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
    const avatar = el("div", { className: "avatar" }, titleOf(chat).replace(/^[~+]/, "")[0] ?? "?");
    avatar.style.background = `hsl(${hue} 40% 48%)`;
    return avatar;
  }

  function conversation(chat) {
    const messages = [...chat.msgs.getModelsArray()].sort((one, other) => one.t - other.t).slice(-SHOWN).reverse(); // the newest first: drawn from below
    const bubbles = messages.map(message => el("div", { className: `bubble ${message.id.fromMe ? "mine" : ""}` }, words(message),
      el("div", { className: "foot" }, message.latestEditMsgKey ? "Edited " : "", time(message.t), tick(message))));
    return el("section", { className: "talk" }, el("header", {}, avatarOf(chat), el("b", {}, titleOf(chat))), el("div", { className: "bubbles" }, ...bubbles));
  }

  function row(chat) {
    const message = chat.lastReceivedKey && require("WAWebMsgCollection").MsgCollection.get(chat.lastReceivedKey);
    const look = () => { opened = String(chat.id); exports.draw(); };
    return el("li", { className: `chat ${String(chat.id) === opened ? "opened" : ""}`, onclick: look }, avatarOf(chat),
      el("div", { className: "middle" }, el("b", {}, titleOf(chat)),
        el("div", { className: "last" }, message ? tick(message) : "", message ? words(message) : "")),
      el("div", { className: "right" }, el("time", {}, time(chat.t)),
        chat.unreadCount > 0 ? el("span", { className: "unread" }, String(chat.unreadCount)) : ""));
  }

  function signIn() {
    const { Conn } = require("WAWebConnModel");
    const { Socket } = require("WAWebSocketModel");
    const typed = require("WAWebLinking").code;
    const idle = Socket.state === "UNPAIRED_IDLE";
    const code = Conn.ref && [Conn.ref, ...["static", "identity", "secret"].map(name => require("WAWebIdentity").keys()[name])].join(",");
    const picture = code ? el("img", { src: `/web/qr.svg?code=${encodeURIComponent(code)}`, alt: "QR code", width: 264, height: 264 }) : el("div", { className: "spinner" });
    picture.dataset.code = code ?? "";
    return el("div", { className: "signin" },
      el("div", {}, el("h1", {}, "Log in to WhatsApp Web"),
        el("ol", {}, el("li", {}, "Open a phone of the simulator, at /phones"), el("li", {}, "Go to Linked devices"), el("li", {}, "Choose the code that is shown here, or type it")),
        typed ? el("p", {}, "Code to type on the phone:") : "", typed ? el("div", { className: "typed" }, typed) : "",
        el("p", { className: "soft" }, "This is the simulator's own WhatsApp Web: nothing here reaches WhatsApp.")),
      el("div", { className: "qr" }, idle ? el("button", { onclick: () => Socket.refreshQR() }, "Click to reload QR code") : picture));
  }

  function chats() {
    const { Stream } = require("WAWebStreamModel");
    const { ChatCollection } = require("WAWebChatCollection");
    const name = require("WAWebIdentity").device()?.me.name ?? "";
    const list = ChatCollection.getModelsArray().slice(0, SHOWN);
    const looked = opened && ChatCollection.get(opened);
    const main = el("div", { className: "main" },
      el("header", {}, el("b", {}, name), el("span", {}, `+${require("WAWebUserPrefsMeUser").getMaybeMePnUser()?.user ?? ""}`)),
      Stream.mode === "OFFLINE" ? el("div", { className: "offline" }, "Computer not connected. Trying to connect…") : "",
      list.length ? el("ul", {}, ...list.map(row)) : el("p", { className: "soft empty" }, "No chats yet"),
      ChatCollection.length > SHOWN ? el("p", { className: "soft" }, `and ${ChatCollection.length - SHOWN} more`) : "");
    return looked ? el("div", { className: "both" }, main, conversation(looked)) : main;
  }

  function content() {
    const { Stream } = require("WAWebStreamModel");
    const { Socket } = require("WAWebSocketModel");
    if (require("WAWebTrouble").isStorageBroken()) return notice("WhatsApp could not start", "The browser's storage could not be opened. Clear this site's data.");
    if (Stream.mode === "CONFLICT") return notice("WhatsApp is open in another window", "Click “Use here” to use WhatsApp in this window.", el("button", { onclick: () => Socket.takeover() }, "Use here"));
    if (Stream.mode === "DEPRECATED_VERSION") return notice("Update WhatsApp", "This version is no longer supported.", el("button", { onclick: () => location.reload() }, "Update"));
    if (Stream.mode === "QR") return signIn();
    if (Stream.mode === "SYNCING") return notice(Stream.info === "PAIRING" ? "Linking device" : "Loading your chats", "Do not close this window.", el("div", { className: "spinner" }));
    return chats();
  }

  exports.draw = () => {
    timer ??= setTimeout(() => {
      timer = null;
      const shown = content();
      const before = app.querySelector(".qr img")?.dataset.code;
      if (before && before === shown.querySelector?.(".qr img")?.dataset.code && app.querySelector(".typed")?.textContent === shown.querySelector(".typed")?.textContent) return;
      app.replaceChildren(shown);
    }, WAIT_MS);
  };

  exports.start = () => {
    const { Stream } = require("WAWebStreamModel");
    for (const name of ["change:mode", "change:info"]) Stream.on(name, exports.draw);
    require("WAWebConnModel").Conn.on("change:ref", exports.draw);
    require("WAWebSocketModel").Socket.on("change:state", exports.draw);
    for (const name of ["add", "remove", "change:t", "change:unreadCount"]) require("WAWebChatCollection").ChatCollection.on(name, exports.draw);
    for (const name of ["change:ack", "change:type", "change:latestEditMsgKey"]) require("WAWebMsgCollection").MsgCollection.on(name, exports.draw);
    exports.draw();
  };
});
