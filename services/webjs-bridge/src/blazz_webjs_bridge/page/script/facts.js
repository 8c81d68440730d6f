// What the page tells by itself: wa-js's events, each as a fact.

const TROUBLE = new Set(["storage_initialization_error", "account_temporarily_banned", "service_unavailable_503", "unexpected_logout_modal"]);
const ACKS_AT_ONCE = 500;
const toldMessages = new Recent(20_000);
const toldAcks = new Recent(20_000);
let lastMode = null, lastCode = null, lastAuthenticated = null, wasReady = false, loggedOut = false;

// Before wa-js is injected nothing of it is asked: it would look for WhatsApp's modules while they are still coming in,
// and remember for ever that they are not there.
const asked = (read, otherwise = null) => (WPP.isInjected ? attempt(read, otherwise) : otherwise);
const mode = () => asked(() => WPP.conn.getStreamData().mode);
const authenticated = () => asked(() => WPP.conn.isAuthenticated()) === true;
const online = () => (WPP.isInjected ? attempt(() => WPP.conn.isOnline()) === true : navigator.onLine);
// wa-js is fully ready on the QR page, too: chats are there only when somebody is signed in and the main screen is up.
const isReady = () => WPP.isFullReady === true && authenticated() && mode() === "MAIN";
// Once chats were there they stay, also while the connection is away for a moment.
const hasChats = () => wasReady && authenticated() && ["MAIN", "SYNCING", "OFFLINE"].includes(mode());
const version = () => text(attempt(() => window.Debug.VERSION) ?? asked(() => WPP.conn.getBuildConstants().VERSION_STR), 64);

function on(event, hear) {
  WPP.on(event, (...values) => {
    try {
      hear(...values);
    } catch (error) {
      console.warn(`blazz: ${event} could not be told`, error?.name);
    }
  });
}

// Called by each event and by the heartbeat: some changes have no event of their own.
function lookAround() {
  const signedIn = authenticated();
  if (signedIn && lastAuthenticated === false) {
    loggedOut = false;
    tell({ kind: "linked" });
  }
  if (!signedIn && lastAuthenticated === true) tellLogout(null);
  if (WPP.isInjected) lastAuthenticated = signedIn;
  const readyNow = isReady();
  if (readyNow && !wasReadyNow) becomeReady();
  wasReadyNow = readyNow;
}
let wasReadyNow = false;

function becomeReady() {
  wasReady = true;
  attempt(() => WPP.conn.setKeepAlive(true));
  tell({ kind: "ready", me: me() ?? { chat: "unknown" }, version: version() });
}

function tellLogout(reason) {
  if (loggedOut && !reason) return;
  loggedOut = true;
  wasReady = false;
  tell({ kind: "logged_out", reason: text(idText(reason), 200) });
}

function tellMode(now) {
  if (typeof now !== "string" || now === lastMode) return lookAround();
  lastMode = now;
  tell({ kind: "mode", mode: now.slice(0, 64) });
  lookAround();
}

function tellMessage(message) {
  if (!isTold(message)) return;
  const told = describe(message);
  if (!told || toldMessages.has(told.id)) return;
  toldMessages.set(told.id);
  tell({ kind: "message", message: told });
}

// Acks of one tick together: a chat that is read brings one for each message.
const acks = new Map();
function gatherAck(ids, chat, ack) {
  if (!chat || !Number.isInteger(ack) || ack === 0) return;
  for (const id of ids) {
    if (!id?.startsWith("true_") || toldAcks.get(id) === ack) continue;
    toldAcks.set(id, ack);
    const key = `${chat} ${ack}`;
    if (!acks.size) setTimeout(tellAcks);
    if (!acks.has(key)) acks.set(key, { chat, ack, ids: [] });
    acks.get(key).ids.push(id.slice(0, 512));
  }
}

function tellAcks() {
  const gathered = [...acks.values()];
  acks.clear();
  for (const { chat, ack, ids } of gathered) {
    for (let start = 0; start < ids.length; start += ACKS_AT_ONCE) {
      tell({ kind: "ack", chat: chat.slice(0, 128), ack, ids: ids.slice(start, start + ACKS_AT_ONCE), at: now() });
    }
  }
}

// In a group wa-js names the reader in the key; our message's own key names us.
function ownKey(key) {
  const id = idText(key);
  const remote = idText(attempt(() => key.remote));
  if (!remote || !isGroup(remote)) return id;
  for (const mine of [myLid(), myNumber()]) {
    const own = mine && `true_${remote}_${key.id}_${bare(mine)}`;
    if (own && attempt(() => WPP.whatsapp.MsgStore.get(own))) return own;
  }
  return myLid() ? `true_${remote}_${key.id}_${bare(myLid())}` : id;
}

// How long a code to scan works: by the page's word (`refTTL`; older pages said milliseconds), else as WhatsApp Web
// changes its codes, the first of a row after 60 seconds and each later one after 20.
let codesInRow = 0;
function codeSeconds() {
  const { refTTL } = attempt(() => WPP.whatsapp.Conn, {});
  const said = typeof refTTL === "number" && refTTL > 0 ? (refTTL > 1000 ? refTTL / 1000 : refTTL) : null;
  return Math.min(said ?? (codesInRow === 1 ? 60 : 20), 3600);
}
const PAIRING_SECONDS = 195; // after which wa-js asks for another pairing code by itself

function listenToLinking() {
  on("conn.auth_code_change", code => {
    const full = text(attempt(() => code.fullCode), 2048);
    if (full && full !== lastCode) {
      codesInRow += 1;
      tell({ kind: "qr", code: full, seconds: codeSeconds() });
    }
    lastCode = full;
  });
  on("conn.qrcode_idle", () => {
    lastCode = null;
    codesInRow = 0;
    tell({ kind: "qr_idle" });
  });
  on("conn.link_code_change", code => tell({ kind: "pairing_code", code: String(code).slice(0, 32), seconds: PAIRING_SECONDS }));
  on("conn.link_code_expired", () => tell({ kind: "pairing_ended", reason: "expired" }));
  on("conn.link_code_error", error => tell({ kind: "pairing_ended", reason: "error", detail: text(attempt(() => error.message), 500) }));
  on("conn.authenticated", lookAround);
  on("conn.main_loaded", lookAround);
  on("loader.full_ready", lookAround);
  on("conn.logout", () => tellLogout(null));
  on("conn.logout_reason", tellLogout);
}

function listenToConnection() {
  on("conn.stream_mode_changed", tellMode);
  on("conn.online", () => tell(alive()));
  on("conn.backend_event", (name, ...details) => {
    if (TROUBLE.has(name)) tell({ kind: "backend", name: String(name).slice(0, 200), detail: { said: text(attempt(() => details[0].message ?? String(details[0])), 300) } });
  });
}

function listenToMessages() {
  on("chat.new_message", tellMessage);
  on("chat.msg_ack_change", ({ ack, chat, ids }) => gatherAck(ids.map(ownKey), idText(chat), whole(ack)));
  on("chat.msg_edited", ({ msg }) => {
    const message = isTold(msg) && describe(msg);
    if (message) tell({ kind: "edited", id: message.id, message, at: seconds(msg.latestEditSenderTimestampMs) });
  });
  on("chat.msg_revoke", ({ author, from, id, refId, to, type }) => {
    const target = idText(refId);
    const remote = idText(attempt(() => refId.remote)) ?? idText(attempt(() => id.remote)) ?? idText(from);
    if (!target || !isConversation(remote)) return;
    const group = isGroup(remote) ? remote : null;
    const fromMe = attempt(() => id.fromMe) === true || (type === "sender_revoke" && isMe(idText(from)));
    const whom = group ? idText(author) ?? idText(attempt(() => id.participant)) ?? idText(from) : fromMe ? idText(to) ?? remote : remote;
    tell({ kind: "revoked", id: target.slice(0, 512), person: somebody(whom) ?? { chat: remote }, from_me: fromMe, group, at: now() });
  });
  on("chat.new_reaction", ({ id, msgId, reactionText, sender, timestamp }) => {
    const target = idText(msgId), own = idText(id);
    const remote = idText(attempt(() => msgId.remote)) ?? "";
    if (!target || !own || !isConversation(remote)) return;
    const fromMe = attempt(() => id.fromMe) === true || isMe(idText(sender));
    const group = isGroup(remote) ? remote : null;
    const whom = fromMe && !group ? remote : idText(sender) ?? remote;
    tell({
      kind: "reacted", id: own.slice(0, 512), target: target.slice(0, 512), emoji: String(reactionText ?? "").slice(0, 64),
      person: somebody(whom) ?? { chat: remote }, from_me: fromMe, group, at: seconds(timestamp),
    });
  });
  on("call.incoming_call", ({ id, isGroup: group, isVideo, offerTime, sender, peerJid }) => {
    const person = somebody(sender) ?? somebody(peerJid);
    if (id && person) tell({ kind: "called", id: String(id).slice(0, 256), person, video: isVideo === true, group: group === true, at: seconds(offerTime) });
  });
  on("loader.injected", listenToStore);
}

// wa-js tells ack 1 of a message in memory, and of receipts only those that come when it is fully ready: a send that
// failed, and what came while chats were still being loaded, are seen at the store itself.
function listenToStore() {
  attempt(() => WPP.whatsapp.MsgStore.on("change:ack", message => {
    const ack = whole(attempt(() => message.ack)), id = idText(attempt(() => message.id));
    if (id?.startsWith("true_")) queueMicrotask(() => gatherAck([id], remoteOf(message), ack));
  }));
}
