// A message of WhatsApp Web, in the bridge's words.

// What is a message to WhatsApp Web's screen and to nobody who wrote one.
const SILENT = new Set([
  "notification", "notification_template", "group_notification", "gp2", "broadcast_notification", "e2e_notification",
  "newsletter_notification", "call_log", "protocol", "ciphertext", "debug", "reaction", "reaction_enc", "poll_update",
  "pin_message", "pinned_message", "keep_in_chat", "album", "biz_content_placeholder", "message_history_notice",
]);
const TYPES = {
  chat: "text", image: "image", video: "video", ptv: "video", audio: "audio", ptt: "audio", document: "document",
  sticker: "sticker", location: "location", vcard: "contacts", multi_vcard: "contacts",
  // What somebody chose from a menu reads as what they wrote.
  buttons_response: "text", list_response: "text", template_button_reply: "text",
};
const FILES = new Set(["image", "video", "audio", "document", "sticker"]);
const sentHere = new Recent(20_000); // ids of messages that this page was asked to send

const remoteOf = message => idText(attempt(() => message.id.remote)) ?? idText(attempt(() => (message.id.fromMe ? message.to : message.from)));

// Chats that are no conversation: status, broadcast lists, channels.
function isConversation(address) {
  return Boolean(address) && (isPerson(address) || isGroup(address)) && !address.startsWith("status@");
}

const isTold = message => !SILENT.has(attempt(() => message.type)) && isConversation(remoteOf(message));

function describe(message) {
  const told = attempt(() => whatCanBeTold(message));
  if (!told) return null;
  try {
    return { ...told, ...theRest(message, told) };
  } catch {
    return told; // `unsupported`, with who and when
  }
}

function whatCanBeTold(message) {
  const id = idText(message.id)?.slice(0, 512);
  const remote = remoteOf(message);
  if (!id || !remote) return null;
  const fromMe = id.startsWith("true_");
  const group = isGroup(remote) ? remote.slice(0, 128) : null;
  const author = group ? idText(attempt(() => message.author)) ?? idText(attempt(() => message.id.participant)) : remote;
  const person = somebody(group && fromMe ? myNumber() ?? author : author, fromMe ? null : attempt(() => message.notifyName));
  return {
    id,
    from_me: fromMe,
    ours: sentHere.has(id),
    person: person ?? { chat: remote.slice(0, 128) },
    group,
    type: "unsupported",
    raw_type: text(attempt(() => message.type), 64),
    ack: fromMe ? whole(attempt(() => message.ack)) : null,
    at: seconds(attempt(() => message.t)),
  };
}

function theRest(message, { raw_type: raw }) {
  const type = Object.hasOwn(TYPES, raw) ? TYPES[raw] : "unsupported";
  return {
    type,
    text: textOf(message, type),
    content: contentOf(message, type),
    file: FILES.has(type) ? fileOf(message, raw) : null,
    quoted: attempt(() => quotedBy(message)),
    forwarded: attempt(() => message.isForwarded) === true,
  };
}

function textOf(message, type) {
  if (type === "text") return text(message.body) ?? text(attempt(() => message.text)) ?? "";
  if (FILES.has(type)) {
    // WhatsApp shows a document's name where it has no caption.
    const caption = text(message.caption);
    return type === "document" && caption === message.filename && message.isCaptionByUser !== true ? null : caption;
  }
  if (type !== "unsupported") return null;
  // Polls, lists, invitations, …: what of them is written for people. `body` of an unknown type may be a thumbnail.
  return text(attempt(() => message.pollName)) ?? text(message.title) ?? text(message.caption) ?? text(attempt(() => message.inviteGrpName));
}

function contentOf(message, type) {
  if (type === "location") {
    if (!Number.isFinite(message.lat) || !Number.isFinite(message.lng)) throw new Error("a place that is nowhere");
    const [name, ...address] = (text(message.loc) ?? "").split("\n");
    return { latitude: message.lat, longitude: message.lng, name: text(name, 1000), address: text(address.join("\n"), 1000), url: text(message.clientUrl, 2048) };
  }
  if (type === "contacts") {
    const cards = message.type === "vcard" ? [{ vcard: message.body, displayName: message.vcardFormattedName }] : message.vcardList ?? [];
    return { contacts: cards.slice(0, 256).map(contactOf) };
  }
  return {};
}

function contactOf({ vcard, displayName }) {
  const card = text(vcard, 20_000) ?? "";
  const phones = [...card.matchAll(/^(?:item\d+\.)?TEL([^:\r\n]*):([^\r\n]+)/gim)].slice(0, 20).map(([, parameters, phone]) => ({
    phone: phone.trim().slice(0, 64),
    wa_id: parameters.match(/waid=(\d+)/i)?.[1] ?? null,
  }));
  return { name: { formatted_name: text(displayName, 512) ?? text(card.match(/^FN[^:\r\n]*:([^\r\n]+)/im)?.[1], 512) ?? "" }, phones, vcard: card };
}

function fileOf(message, raw) {
  const length = Number(message.duration);
  return {
    mime_type: (text(message.mimetype, 255) ?? "application/octet-stream").split(";")[0].trim(),
    filename: text(message.filename, 512),
    size: amount(message.size),
    sha256: text(message.filehash, 128),
    seconds: Number.isFinite(length) && length > 0 ? length : null,
    voice: raw === "ptt",
    animated: attempt(() => message.isAnimated) === true,
  };
}

// The key of the message that this one answers. `WPP.chat.getQuotedMsgKey` compares its author with our number alone, so
// that in a `@lid` chat our own messages would be taken for the other's.
function quotedBy(message) {
  const hex = text(message.quotedStanzaID, 256);
  if (!hex) return null;
  const remote = idText(message.quotedRemoteJid) ?? remoteOf(message);
  const author = idText(message.quotedParticipant);
  const participant = isGroup(remote) && author ? `_${bare(author)}` : "";
  return `${isMe(author)}_${remote}_${hex}${participant}`.slice(0, 512);
}
