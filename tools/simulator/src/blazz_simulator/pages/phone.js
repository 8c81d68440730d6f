// A customer's phone: the chat with one business number, live, and a box to answer in.
import { bubble, ticks } from "./bubble.js";
import { compose } from "./compose.js";
import { showDevices } from "./devices.js";
import { offer } from "./offer.js";
import { day, el, fail, get, paint, preview } from "./parts.js";

const number = decodeURIComponent(location.pathname.split("/").pop());
const api = `/_sim/phones/${encodeURIComponent(number)}`;
const find = id => document.getElementById(id);
const chat = find("chat"), business = find("business"), state = find("state"), dialog = find("dialog");
let messages = [], accounts = [], picked = null, quiet = null;

const chosen = () => business.value;
const shownMessages = () => messages.filter(message => message.account === chosen());

async function load() {
  const [phone, known, linked] = await Promise.all([`${api}/messages`, "/_sim/accounts", "/_sim/web/phones"].map(get));
  if (phone.error) return fail(phone.error.message);
  messages = phone.messages;
  if (linked.phones.some(line => line.phone === number)) document.querySelector(".top a").href = `/phones/${number}`;
  accounts = [...known.accounts.map(account => ({ key: account.phone_number_id, number: account.display_phone_number, name: account.verified_name })),
    ...linked.phones.filter(line => line.phone !== number).map(line => ({ key: line.phone, number: line.phone, name: `${line.name} (Web)` }))];
  const last = messages.at(-1)?.account;
  const keep = picked || new URLSearchParams(location.search).get("to") || last || known.default;
  business.replaceChildren(...accounts.map(account => el("option", { value: account.key }, `${account.name} · +${account.number}`)));
  business.value = keep;
  document.title = `${phone.name || number} · phone`;
  paint(find("avatar"), accounts.find(account => account.key === keep)?.name || "?", keep);
  idle(phone.name);
  draw();
}

let owner = "";
function idle(name) {
  if (name !== undefined) owner = name || "";
  state.textContent = `${/^\d/.test(number) ? "+" : ""}${number} · ${owner ? `${owner}'s phone` : "phone"}`;
}

function draw() {
  chat.replaceChildren();
  let lastDay = null;
  for (const message of shownMessages()) {
    const today = day(message.at);
    if (today !== lastDay) chat.append(el("div", { className: "day" }, lastDay = today));
    place(message);
  }
  if (!chat.children.length) chat.append(el("div", { className: "empty" }, "Nothing here yet. Messages to this number arrive here as they are sent; write below to start the conversation yourself."));
  chat.scrollTop = chat.scrollHeight;
  read();
}

function place(message) {
  if (message.type === "reaction") return react(message);
  chat.querySelector(".empty")?.remove();
  const answered = message.context && messages.find(known => known.id === (message.context.message_id || message.context.id));
  chat.append(bubble(message, answered ? preview(answered) : null, { send, choose, react: message => offer(dialog, message, send, box.answer) }));
}

function react(message) {
  const target = chat.querySelector(`[data-id="${CSS.escape(message.reaction.message_id)}"]`);
  if (!target) return;
  target.querySelector(`.reaction.${message.from}`)?.remove();
  if (message.reaction.emoji) target.append(el("span", { className: `reaction ${message.from}` }, message.reaction.emoji));
  target.classList.toggle("reacted", Boolean(target.querySelector(".reaction")));
}

async function post(path, data) {
  const answer = await fetch(api + path, { method: "POST", body: JSON.stringify(data) });
  const body = await answer.json();
  if (!answer.ok) fail(body.error.message);
  return answer.ok;
}

const send = data => post("/messages", { to: chosen(), ...data });
const read = () => { if (!document.hidden) post("/read", {}); };

function choose(action, done) {
  const pick = row => { dialog.close(); done(Object.fromEntries(Object.entries({ id: row.id, title: row.title, description: row.description }).filter(([, value]) => value))); };
  dialog.replaceChildren(el("h3", {}, action.button), ...action.sections.flatMap(section => [
    section.title ? el("h4", {}, section.title) : "",
    ...section.rows.map(row => el("button", { className: "pick", onclick: () => pick(row) }, row.title, row.description ? el("div", { className: "soft" }, row.description) : "")),
  ]));
  dialog.showModal();
}

const box = compose(send);

dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
business.addEventListener("change", () => { picked = business.value; load(); });
find("devices").addEventListener("click", async () => {
  await showDevices(dialog, number, fail);
  dialog.addEventListener("close", async () => {
    const { phones } = await get("/_sim/web/phones");
    if (phones.some(line => line.phone === number && line.devices)) location.assign(`/phones/${number}`);  // it has chats of its own now
  }, { once: true });
});
document.addEventListener("visibilitychange", read);

const events = new EventSource(`/phones/${encodeURIComponent(number)}/events`);
events.onopen = load;
events.onerror = () => { state.textContent = "connecting…"; };
events.addEventListener("message", ({ data }) => {
  const { message } = JSON.parse(data);
  if (messages.some(known => known.id === message.id)) return;
  messages.push(message);
  idle();
  if (message.account !== chosen()) return picked ? undefined : load();  // nobody chose: show where something happens
  place(message);
  chat.scrollTop = chat.scrollHeight;
  if (message.from === "business") read();
});
events.addEventListener("status", ({ data }) => {
  const { id, status, error } = JSON.parse(data);
  const message = messages.find(known => known.id === id);
  if (!message) return;
  Object.assign(message, { status, error });
  chat.querySelector(`[data-id="${CSS.escape(id)}"] .meta`)?.lastElementChild?.replaceWith(ticks(message));
});
events.addEventListener("changed", ({ data }) => {
  const { message } = JSON.parse(data);
  const known = messages.find(other => other.id === message.id);
  if (!known) return;
  Object.assign(known, message);
  draw();
});
events.addEventListener("typing", () => {
  state.textContent = "typing…";
  clearTimeout(quiet);
  quiet = setTimeout(idle, 25000);  // Meta ends the indicator after 25 s
});
