// Messages of all chats since a moment.

const AT_ONCE = 50; // messages asked of a chat at a time
const ROUNDS = 400; // times a chat is asked: 20,000 messages, more than anybody missed
const KEEP_HISTORY = 120_000; // milliseconds; the pages of one reading are cut from the same list
let reading = null;

async function history({ since, groups, limit, offset }) {
  needChats();
  const key = `${since} ${groups}`;
  if (!reading || reading.key !== key || offset === 0 || Date.now() > reading.until) {
    reading = { key, until: Date.now() + KEEP_HISTORY, messages: read(since, groups) };
  }
  const messages = (await reading.messages.catch(error => { reading = null; throw error; })).slice(offset, offset + limit);
  return messages.map(describe).filter(Boolean);
}

async function read(since, groups) {
  const found = [];
  for (const chat of await WPP.chat.list({ ignoreGroupMetadata: true })) {
    const address = idText(attempt(() => chat.id));
    if (!isConversation(address) || (isGroup(address) && !groups)) continue;
    const last = whole(attempt(() => chat.t));
    if (last !== null && last < since) continue;
    found.push(...await readChat(address, since));
  }
  const order = message => `${String(seconds(message.t)).padStart(12, "0")} ${idText(message.id)}`;
  return [...new Map(found.map(message => [idText(message.id), message])).values()]
    .map(message => [order(message), message])
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, message]) => message);
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
