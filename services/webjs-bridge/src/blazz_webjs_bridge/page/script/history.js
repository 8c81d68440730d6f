// Messages of all chats since a moment.

const AT_ONCE = 50; // messages asked of a chat at a time
const ROUNDS = 400; // times a chat is asked: 20,000 messages, more than anybody missed
const KEEP_HISTORY = 120_000; // milliseconds; the pages of one reading are cut from the same list
let reading = null;

async function history({ since, groups, limit, offset }) {
  needChats();
  const key = `${since} ${groups}`;
  if (!reading || reading.key !== key || offset === 0) {
    const begun = { key, messages: read(since, groups) };
    const forget = () => { if (reading === begun) reading = null; };
    begun.messages.catch(forget);
    setTimeout(forget, KEEP_HISTORY);
    reading = begun;
  }
  return (await reading.messages).slice(offset, offset + limit);
}

async function read(since, groups) {
  const found = new Map();
  for (const chat of await WPP.chat.list({ ignoreGroupMetadata: true })) {
    const address = idText(attempt(() => chat.id));
    if (!isConversation(address) || (isGroup(address) && !groups)) continue;
    const last = whole(attempt(() => chat.t));
    if (last !== null && last < since) continue;
    for (const message of await readChat(address, since)) {
      const told = describe(message);
      if (told) found.set(told.id, told);
    }
  }
  return [...found.values()].sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
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
