// Messages of all chats since a moment.

const AT_ONCE = 50; // messages asked of a chat at a time
const ROUNDS = 400; // times a chat is asked: 20,000 messages, more than anybody missed
const KEEP_HISTORY = 120_000; // milliseconds; the pages of one reading are cut from the same list
let reading = null;

// `corrected_since`: messages of before `since` that were edited since then, or were taken back, are told from here on.
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
  const found = new Map();
  for (const chat of await WPP.chat.list({ ignoreGroupMetadata: true })) {
    const address = idText(attempt(() => chat.id));
    if (!isConversation(address) || (isGroup(address) && !groups)) continue;
    const last = whole(attempt(() => chat.t));
    if (last !== null && last < from) continue;
    for (const message of await readChat(address, from)) {
      const edited = editedAt(message);
      if (message.t < since && !(edited >= since) && attempt(() => message.type) !== "revoked") continue;
      const told = describe(message);
      if (told) found.set(told.id, fitting({ ...told, edited_at: edited }));
    }
  }
  return [...found.values()].sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
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
