// What the bridge may ask, by name. Each answers something that JSON can say.

const REFRESH_WITHIN = 5000; // milliseconds for a new code; it comes as a fact as well
const LOGOUT_WITHIN = 8000;
const FULL_READY_WITHIN = 10_000;

function needInjected() {
  if (!WPP.isInjected) throw new Refused("not_ready", "WhatsApp Web is still being loaded");
}

function needChats() {
  if (!hasChats()) throw new Refused("not_ready", `Chats are not there: ${authenticated() ? mode() : "no phone has linked the page"}`);
}

const event = name => new Promise(resolve => WPP.once(name, resolve));
const authCode = () => WPP.conn.getAuthCode().then(code => attempt(() => code.fullCode), () => null);

const CALLS = {
  async state() {
    const injected = WPP.isInjected === true;
    return {
      injected,
      ready: WPP.isReady === true,
      authenticated: authenticated(),
      main_ready: isReady(),
      mode: text(mode(), 64),
      online: online(),
      qr: injected ? text(await within(authCode(), 2000, () => null), 2048) : null,
      me: authenticated() ? me() : null,
      version: version(),
      wa_js: text(WPP.version, 64),
      missing: WPP.isReady ? missing() : [],
    };
  },

  async refreshQr() {
    needInjected();
    lastCode = null; // the new one is told even if it is the same
    codesInRow = 0;
    await within(WPP.conn.refreshQR(), REFRESH_WITHIN, () => null);
  },

  async pair({ phone }) {
    needInjected();
    // wa-js drops a pairing that has begun when the main screen comes up, which the page of codes counts as.
    if (!WPP.isFullReady) await within(event("loader.full_ready"), FULL_READY_WITHIN, () => null);
    return text(await WPP.conn.startLinkDeviceCodeForPhoneNumber(phone), 32);
  },

  async logout() {
    needInjected();
    if (!authenticated()) return;
    const gone = event("conn.logout");
    await within(Promise.race([gone, WPP.conn.logout()]), LOGOUT_WITHIN, () => null);
  },

  async takeOver() {
    needInjected();
    WPP.whatsapp.Socket.takeover();
  },

  async findPerson({ phone, lid }) {
    needChats();
    const asked = lid ? `${lid}@lid` : `${phone}@c.us`;
    const known = await exists(asked);
    if (!known) return null;
    const addresses = [known.lid, known.wid, otherAddress(asked)].map(idText).filter(Boolean).map(bare);
    return somebody(await chatOf(addresses));
  },

  async findMessage({ id }) {
    needChats();
    try {
      const message = await WPP.chat.getMessageById(id);
      return { id: idText(message.id), ack: whole(message.ack) ?? 0 };
    } catch (error) {
      if (["msg_not_found", "chat_not_found"].includes(error?.code)) return null;
      throw error;
    }
  },

  send,
  history,
  download,

  async typing({ chat, seconds: length }) {
    needChats();
    await WPP.chat.find(chat);
    await WPP.chat.markIsComposing(chat);
    await sleep(length * 1000);
    await WPP.chat.markIsPaused(chat);
  },

  async rejectCall({ id }) {
    needChats();
    await WPP.call.reject(id);
  },
};

// `WPP.contact.queryWidExists` takes a server that did not answer for a number that is not on WhatsApp: such a null is
// believed only when WhatsApp's own function, which raises, says the same. Without a connection both may wait for ever.
async function exists(address) {
  const known = [address, otherAddress(address)].some(each => each && attempt(() => WPP.whatsapp.ContactStore.get(each)));
  if (!known && (mode() !== "MAIN" || !online())) throw new Refused("not_connected", "WhatsApp Web has no connection to ask over");
  return (await WPP.contact.queryWidExists(address)) ?? (await WPP.whatsapp.functions.queryWidExists(wid(address)));
}

// The chat with a person: the one that is there, else the one that WhatsApp would open for them.
async function chatOf(addresses) {
  for (const address of addresses) if (attempt(() => WPP.chat.get(address))) return address;
  const chat = await WPP.chat.find(addresses.at(-1)).catch(() => null);
  return idText(attempt(() => chat.id)) ?? addresses[0];
}

async function answer(name, args, limit) {
  try {
    if (!Object.hasOwn(CALLS, name)) throw new Refused("call_unknown", `The page knows no ${name}`);
    const value = await within(CALLS[name](args, limit), limit, tooLate(name));
    const json = JSON.stringify({ ok: value ?? null });
    if (json.length > ANSWER_CHARACTERS) throw new Refused("answer_too_large", `${json.length} characters`);
    return json;
  } catch (error) {
    const code = text(attempt(() => error.code), 100) ?? (typeof error === "string" ? error.slice(0, 100) : "failed");
    const message = text(attempt(() => error.message), 300) ?? text(attempt(() => String(error)), 300) ?? code;
    return JSON.stringify({ error: { code, message } });
  }
}

// In the top frame of the site alone; a frame or an empty page has no WhatsApp to talk to.
if (window === window.top && location.origin === ORIGIN) {
  Object.defineProperty(window, "__blazz", { value: Object.freeze({ call: answer, slot, dropSlot }) });
  listenToLinking();
  listenToConnection();
  listenToMessages();
  setInterval(beat, BEAT);
}
