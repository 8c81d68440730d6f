// What everything below stands on: telling facts to the bridge, refusing, waiting with a limit, reading odd values.
// ORIGIN, TELL, FUNCTIONS and ANSWER_CHARACTERS come from the bridge, in front of this file.

const FACTS_AT_ONCE = 200; // facts in one message to the bridge, so that none is larger than the bridge takes
const FACT_CHARACTERS = 400_000; // of one fact
const CUT_CHARACTERS = 10_000; // of the text of a message that is larger than a fact may be
const waitingFacts = [];

// In the order they happened, those of one tick together.
function tell(fact) {
  waitingFacts.push(fact);
  if (waitingFacts.length === 1) queueMicrotask(tellAll);
}

function tellAll() {
  const facts = waitingFacts.splice(0).map(asJson).filter(Boolean);
  for (let start = 0; start < facts.length; start += FACTS_AT_ONCE) {
    attempt(() => window[TELL](`[${facts.slice(start, start + FACTS_AT_ONCE).join(",")}]`)?.catch?.(() => {}));
  }
}

function asJson(fact) {
  const json = attempt(() => JSON.stringify(fact));
  if (json && json.length <= FACT_CHARACTERS) return json;
  return fact.message ? attempt(() => JSON.stringify({ ...fact, message: cut(fact.message) })) : null;
}

// A message that is too large to be told as what it is, such as hundreds of contact cards: that it came, and from whom.
const cut = message => ({ ...message, type: "unsupported", text: text(message.text, CUT_CHARACTERS), content: {}, file: null });

const fitting = message => ((attempt(() => JSON.stringify(message)) ?? "").length <= FACT_CHARACTERS - 1000 ? message : cut(message));

// A refusal by name, as wa-js's own: `code` is what the bridge acts on.
class Refused extends Error {
  constructor(code, message) {
    super(message ?? code);
    this.code = code;
  }
}

function attempt(read, otherwise = null) {
  try {
    return read() ?? otherwise;
  } catch {
    return otherwise;
  }
}

const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

// The promise's value, or `late()` when it does not come within so many milliseconds.
function within(promise, milliseconds, late) {
  let timer;
  const limit = new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, milliseconds);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

const tooLate = what => () => {
  throw new Refused("timeout", `WhatsApp Web did not answer in time: ${what}`);
};

// As a database takes it: without zero characters and halves of surrogate pairs, which people's phones do send.
const clean = (value, most) => value.slice(0, most).replaceAll("\0", "").toWellFormed();
const text = (value, most = 65_536) => (typeof value === "string" && clean(value, most) !== "" ? clean(value, most) : null);
const whole = value => (Number.isFinite(Number(value)) && value !== null && value !== "" ? Math.trunc(Number(value)) : null);
const amount = value => { const number = whole(value); return number !== null && number >= 0 ? number : null; };
const now = () => Math.floor(Date.now() / 1000);

// Moments come in seconds, and from a few places in milliseconds.
function seconds(value) {
  const moment = whole(value);
  if (moment === null || moment <= 0) return now();
  return moment > 100_000_000_000 ? Math.floor(moment / 1000) : moment;
}

// The text of an address (`…@c.us`) or of a message's key, whatever shape it comes in.
function idText(value) {
  if (typeof value === "string") return value;
  const serialized = attempt(() => value._serialized) ?? attempt(() => value.toString());
  return typeof serialized === "string" && serialized !== "[object Object]" ? serialized : null;
}

// A set that forgets what is oldest: a page lives for weeks.
class Recent {
  constructor(most) {
    this.most = most;
    this.items = new Map();
  }
  has(key) { return this.items.has(key); }
  get(key) { return this.items.get(key); }
  set(key, value = true) {
    this.items.delete(key);
    this.items.set(key, value);
    if (this.items.size > this.most) this.items.delete(this.items.keys().next().value);
  }
}
