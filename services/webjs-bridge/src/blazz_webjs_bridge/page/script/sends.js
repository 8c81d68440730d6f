// Sending one message, under the id that the bridge chose.

const MARGIN = 1500; // milliseconds kept of the time limit, to look where the message lies
const stored = id => attempt(() => WPP.whatsapp.MsgStore.get(id));

// By id, until wa-js is done with it, however long that takes: it cannot be called off, and asked a second time while it
// still prepares a file it would make a second message of it.
const sendingNow = new Map();

async function send(args, limit) {
  needChats();
  if (!isConversation(args.chat)) throw new Refused("chat_invalid", "There is no chat of that id");
  if (!Object.hasOwn(SENDERS, args.type)) throw new Refused("type_unknown", `There is no way to send a ${args.type}`);
  if (args.type === "reaction") return sendOne(args, limit, begun(args));
  if (stored(args.id)) return sent(args.id); // WhatsApp Web would put a second one beside it
  if (!sendingNow.has(args.id)) {
    sentHere.set(args.id);
    const work = begun(args);
    sendingNow.set(args.id, work);
    const done = () => sendingNow.delete(args.id);
    work.then(done, done);
  }
  return sendOne(args, limit, sendingNow.get(args.id));
}

const begun = async args => SENDERS[args.type](args);

async function sendOne(args, limit, work) {
  pending += 1;
  try {
    return outcome(args, await within(work, Math.max(limit - MARGIN, limit / 2), () => null));
  } catch (error) {
    // What fails with the message in the page already is no refusal: it may leave, or has left.
    if (args.type === "reaction" || !stored(args.id)) throw error;
    return sent(args.id);
  } finally {
    pending -= 1;
    if (args.file) dropSlot(args.file);
  }
}

function outcome(args, answer) {
  if (args.type === "reaction") {
    if (!answer) tooLate("the reaction")();
    return { id: args.id, ack: 1 };
  }
  const message = stored(args.id);
  // A file may still be on its way into the page: nobody knows yet whether it becomes a message.
  if (!message && !answer) tooLate("the message is still being prepared")();
  const result = text(attempt(() => answer.sendMsgResult.messageSendResult), 64) ?? "";
  const ack = whole(attempt(() => message.ack)) ?? whole(answer?.ack) ?? 0;
  if (ack < 0) throw new Refused("send_failed", `WhatsApp did not take the message${result && `: ${result}`}`);
  return { id: idText(answer?.id) ?? args.id, ack };
}

function sent(id) {
  const ack = whole(stored(id).ack) ?? 0;
  if (ack < 0) throw new Refused("send_failed", "WhatsApp did not take the message");
  return { id, ack };
}

const options = args => ({
  messageId: args.id,
  waitForAck: true,
  markIsRead: false,
  detectMentioned: false,
  linkPreview: false,
  ...(args.quoted && { quotedMsg: args.quoted }),
});

// People are named by number; where the page knows their hidden id, WhatsApp wants that one, in the text as well.
function mentioned({ text: written, mentions }) {
  let named = written ?? "";
  const list = mentions.map(phone => {
    const lid = otherAddress(`${phone}@c.us`);
    if (lid) named = named.replaceAll(`@${phone}`, `@${user(lid)}`);
    return lid ?? `${phone}@c.us`;
  });
  return { named, list: list.length ? { mentionedList: list } : {} };
}

const sendFile = type => args => {
  const { named, list } = mentioned(args);
  return WPP.chat.sendFileMessage(args.chat, takeFile(args.file, args), {
    ...options(args),
    ...list,
    type,
    filename: args.filename ?? undefined,
    mimetype: args.mime_type ?? undefined,
    ...(named && { caption: named }),
    ...(type === "audio" && { isPtt: args.voice, waveform: args.voice }),
  });
};

const SENDERS = {
  text(args) {
    const { named, list } = mentioned(args);
    return WPP.chat.sendTextMessage(args.chat, named, { ...options(args), ...list, linkPreview: args.link_preview });
  },
  image: sendFile("image"),
  video: sendFile("video"),
  audio: sendFile("audio"),
  document: sendFile("document"),
  sticker: sendFile("sticker"),
  location(args) {
    const { latitude, longitude, name, address, url } = args.content;
    return WPP.chat.sendLocationMessage(args.chat, { ...options(args), lat: latitude, lng: longitude, name, address, url });
  },
  contacts(args) {
    const cards = (args.content.contacts ?? []).map(card);
    if (!cards.length) throw new Refused("contacts_empty", "There is no contact to send");
    const raw = cards.length === 1 ? { type: "vcard", body: cards[0].vcard, vcardFormattedName: cards[0].displayName } : { type: "multi_vcard", vcardList: cards };
    return WPP.chat.sendRawMessage(args.chat, raw, options(args));
  },
  // WhatsApp Web makes a reaction's id by itself; sending the same one again changes nothing.
  async reaction(args) {
    const result = await WPP.chat.sendReactionToMessage(args.target, args.emoji || false);
    return { sendMsgResult: attempt(() => result.sendMsgResult) };
  },
};

// A contact of the Cloud API as a vCard 3.0 (RFC 2426), with `waid` where the number is on WhatsApp.
function card({ vcard, name = {}, phones = [], emails = [], org = {}, urls = [] }) {
  const displayName = name.formatted_name || [name.first_name, name.last_name].filter(Boolean).join(" ") || "?";
  if (typeof vcard === "string" && vcard.startsWith("BEGIN:VCARD")) return { displayName, vcard };
  const plain = value => String(value ?? "").replace(/\\/g, "\\\\").replace(/[\r\n]+/g, "\\n").replace(/([,;])/g, "\\$1");
  const lines = [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `N:${plain(name.last_name)};${plain(name.first_name)};${plain(name.middle_name)};${plain(name.prefix)};${plain(name.suffix)}`,
    `FN:${plain(displayName)}`,
    ...(org.company ? [`ORG:${plain(org.company)};${plain(org.department)}`] : []),
    ...phones.map(({ phone, wa_id: id, type }) => `TEL;type=${plain(type || "CELL")}${id ? `;waid=${String(id).replace(/\D/g, "")}` : ""}:${plain(phone ?? `+${id}`)}`),
    ...emails.map(({ email, type }) => `EMAIL;type=${plain(type || "INTERNET")}:${plain(email)}`),
    ...urls.map(({ url }) => `URL:${plain(url)}`),
    "END:VCARD",
  ];
  return { displayName, vcard: lines.join("\n") };
}
