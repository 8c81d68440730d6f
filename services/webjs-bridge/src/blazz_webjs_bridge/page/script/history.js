// Messages of all chats since a moment.

const AT_ONCE = 50; // messages asked of a chat at a time
const ROUNDS = 400; // times a chat is asked: 20,000 messages, more than anybody missed
const KEEP_HISTORY = 120_000; // milliseconds; the pages of one reading are cut from the same list
const REACTIONS_ASKED = 2000; // messages of one reading, the latest, of which reactions are asked for: each is a look-up
const REACTIONS_AT_ONCE = 16;
const REACTION_MS = 2000; // of one look-up, which is tried twice
const REACTIONS_MS = 15_000; // of all of them: messages must not wait for reactions
const REACTIONS_OF_ONE = 200; // reactions told of one message, the latest: in a group there may be a thousand
let reading = null;

// `corrected_since`: messages of before `since` that were edited or reacted to since then, or were taken back, are told
// from here on.
async function history({ since, groups, limit, offset, corrected_since: corrected }) {
  needChats();
  const from = Math.min(since, corrected ?? since);
  const key = `${since} ${from} ${groups}`;
  // A reading that is still under way is waited for, also by who asks again after a timeout.
  if (!reading || reading.key !== key || (offset === 0 && reading.read)) {
    const begun = { key, messages: read(since, from, groups), read: false };
    const forget = () => { if (reading === begun) reading = null; };
    begun.messages.then(() => {
      begun.read = true;
      setTimeout(forget, KEEP_HISTORY);
    }, forget);
    reading = begun;
  }
  return (await reading.messages).slice(offset, offset + limit);
}

async function read(since, from, groups) {
  const seen = [];
  for (const chat of await WPP.chat.list({ ignoreGroupMetadata: true })) {
    const address = idText(attempt(() => chat.id));
    if (!isConversation(address) || (isGroup(address) && !groups)) continue;
    const last = whole(attempt(() => chat.t));
    if (last !== null && last < from) continue;
    seen.push(...(await readChat(address, from)));
  }
  const reactions = await reactionsOf(seen, since);
  const found = new Map();
  for (const message of seen) {
    const edited = editedAt(message), put = reactions.get(idText(message.id)) ?? [];
    if (message.t < since && !(edited >= since) && !put.length && attempt(() => message.type) !== "revoked") continue;
    const told = describe(message);
    if (told) found.set(told.id, fitting({ ...told, edited_at: edited, reactions: put }));
  }
  return [...found.values()].sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
}

// What others have put on these messages since then, by the message's id. wa-js gives it one message at a time.
async function reactionsOf(messages, since) {
  const found = new Map();
  // Only a page that says so has none: some say nothing of it.
  const asked = messages.filter(message => attempt(() => message.hasReaction) !== false && message.type !== "revoked");
  asked.sort((one, other) => other.t - one.t).splice(REACTIONS_ASKED);
  const look = async id => within(WPP.chat.getReactions(id), REACTION_MS, tooLate("the reactions to a message"));
  const until = Date.now() + REACTIONS_MS;
  while (asked.length && Date.now() < until) {
    await Promise.all(asked.splice(0, REACTIONS_AT_ONCE).map(async message => {
      const id = idText(message.id);
      const told = await look(id).catch(() => look(id)).catch(() => null);
      const senders = attempt(() => told.reactions.flatMap(each => each.senders), []);
      const put = senders.map(each => attempt(() => reactionOf(each, message))).filter(each => each && each.at >= since);
      if (put.length) found.set(idText(message.id), put.sort((one, other) => one.at - other.at).slice(-REACTIONS_OF_ONE));
    }));
  }
  return found;
}

// Of our own it is not known whether we sent them: WhatsApp Web chooses their ids by itself.
function reactionOf({ id, reactionText, sender, senderUserJid, timestamp }, message) {
  const own = idText(id), remote = remoteOf(message), who = idText(sender) ?? idText(senderUserJid);
  if (!own || own.startsWith("true_") || isMe(who) || !(whole(timestamp) > 0)) return null;
  const person = somebody(isGroup(remote) ? who : remote);
  return person && { id: own.slice(0, 512), emoji: String(reactionText ?? "").slice(0, 64), person, at: seconds(timestamp) };
}

function editedAt(message) {
  const moment = attempt(() => message.latestEditSenderTimestampMs);
  return moment ? seconds(moment) : null;
}

async function readChat(address, since) {
  const found = [];
  let oldest = null;
  for (let round = 0; round < ROUNDS; round++) {
    const batch = await WPP.chat.getMessages(address, { count: AT_ONCE, direction: "before", ...(oldest && { id: oldest }) });
    const dated = batch.filter(message => idText(attempt(() => message.id)) && whole(attempt(() => message.t)) !== null);
    found.push(...dated.filter(message => message.t >= since && isTold(message)));
    const first = dated.reduce((least, message) => (!least || message.t < least.t ? message : least), null);
    const id = first && idText(first.id);
    if (!id || id === oldest || first.t < since) break;
    oldest = id;
  }
  return found;
}
