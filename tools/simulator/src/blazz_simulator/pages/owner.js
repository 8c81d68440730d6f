// A phone that is linked to WhatsApp Web, as its owner holds it: all its chats, and one of them when it is opened.
import { bubble, ticks } from "./bubble.js";
import { compose } from "./compose.js";
import { showDevices } from "./devices.js";
import { offer } from "./offer.js";
import { avatar, clock, day, el, fail, get, paint, preview } from "./parts.js";

const REFRESH_MS = 1000; // what its pages do is shown within this
const STATUS = { "-1": "failed", 0: "accepted", 1: "sent", 2: "delivered", 3: "read", 4: "played" };

const number = decodeURIComponent(location.pathname.split("/").pop()).replace(/\D/g, "");
const api = `/_sim/web/phones/${number}`;
const find = id => document.getElementById(id);
const dialog = find("dialog");
let phone = null, chats = [], businesses = [], messages = [], drawn = "";

// The chat that is open, by its address; it stands in the address of the page, so that "back" closes it.
const opened = () => decodeURIComponent(location.hash.slice(1));
const titleOf = chat => chat.name || (chat.number ? `+${chat.number}` : chat.id);
const shown = message => ({ ...message, from: message.from_me ? "customer" : "business", status: message.from_me ? STATUS[message.ack] : "",
  revoked: message.type === "revoked", edited: message.edited ? message[message.type].body ?? message[message.type].caption : undefined });

async function load() {
  const remote = opened();
  const [listed, own, accounts] = await Promise.all([get(`${api}/chats`), get(`/_sim/phones/${number}/messages`), get("/_sim/accounts")]);
  if (listed.error) return location.reload(); // nothing is linked to it any more: it is a customer's phone again
  phone = listed.phone;
  chats = listed.chats;
  businesses = asCustomer(own.messages, accounts.accounts);
  messages = remote ? (await get(`${api}/messages?limit=200&chat=${encodeURIComponent(remote)}`)).messages.map(shown) : [];
  if (remote !== opened()) return;
  if (remote && !document.hidden && chats.some(chat => chat.id === remote && chat.unread)) await post("/read", { chat: remote });
  const state = JSON.stringify([remote, phone, chats, businesses, messages]);
  if (state !== drawn) draw(remote);
  drawn = state;
}

// Businesses on the Cloud API write to this number as to any customer: each is a chat of its own, on the customer's page.
function asCustomer(all, accounts) {
  const last = new Map(all.map(message => [message.account, message]));
  return accounts.filter(account => last.has(account.phone_number_id)).map(account => ({ key: account.phone_number_id,
    name: account.verified_name, number: account.display_phone_number, last: last.get(account.phone_number_id) }));
}

function draw(remote) {
  const chat = remote && (chats.find(known => known.id === remote) ?? { id: remote, number: remote.split("@")[0], name: "" });
  for (const [id, on] of [["chats", !remote], ["start", !remote], ["chat", remote], ["compose", remote]]) find(id).hidden = !on;
  find("back").href = remote ? "#" : "/phones";
  const title = chat ? titleOf(chat) : phone.name;
  paint(find("avatar"), title.replace(/^\+/, ""), chat ? chat.id : number);
  find("title").textContent = title;
  find("state").textContent = chat ? (chat.group ? "group" : chat.number && chat.name ? `+${chat.number}` : "") : `+${number} · ${linked(phone.devices)}`;
  document.title = `${title} · phone`;
  if (chat) drawChat();
  else drawList();
}

const linked = devices => (devices ? `${devices} linked device${devices === 1 ? "" : "s"}` : "no linked device");

function drawList() {
  const rows = [...chats.map(chat => ({ at: chat.last?.at ?? 0, node: row(`#${encodeURIComponent(chat.id)}`, titleOf(chat), chat.id, chat.last && shown(chat.last), chat.unread) })),
    ...businesses.map(business => ({ at: business.last.at, node: row(`?to=${business.key}`, business.name, business.key, business.last, 0) }))];
  find("chats").replaceChildren(...rows.sort((one, other) => other.at - one.at).map(each => each.node));
  if (!rows.length) find("chats").append(el("div", { className: "empty" }, "No chats yet. What is sent and received on a linked page is here, too; open a chat below to write on the phone itself."));
}

function row(href, title, key, last, unread) {
  const mine = last?.from === "customer" && !last.revoked && last.status;
  return el("a", { className: "row", href }, avatar(title.replace(/^\+/, ""), key),
    el("div", { className: "grow" }, el("b", {}, title), el("div", { className: "last" }, mine ? ticks(last) : "", last ? ` ${preview(last)}` : "")),
    el("div", { className: "right" }, el("time", {}, last ? clock(last.at) : ""), unread ? el("span", { className: "badge" }, String(unread)) : ""));
}

function drawChat() {
  const box = find("chat");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  let lastDay = null;
  box.replaceChildren();
  for (const message of messages) {
    const today = day(message.at);
    if (today !== lastDay) box.append(el("div", { className: "day" }, lastDay = today));
    box.append(placed(message));
  }
  if (!messages.length) box.append(el("div", { className: "empty" }, "Nothing here yet. Write below."));
  if (atEnd || !drawn) box.scrollTop = box.scrollHeight;
}

function placed(message) {
  const answered = message.context && messages.find(known => known.id.split("_")[2] === message.context.id);
  const node = bubble(message, answered ? preview(answered) : null, { send, choose() {}, react: offered => offer(dialog, offered, send, writing.answer) });
  if (message.sender && message.chat.endsWith("@g.us")) node.prepend(el("b", { className: "sender" }, message.name || `+${message.sender}`));
  if (message.reactions.length) {
    node.append(el("span", { className: "reaction" }, [...new Set(message.reactions)].join("")));
    node.classList.add("reacted");
  }
  return node;
}

async function post(path, data) {
  const answer = await fetch(api + path, { method: "POST", body: JSON.stringify(data) });
  const body = await answer.json();
  if (!answer.ok) fail(body.error.message);
  return answer.ok && body;
}

async function send(data) {
  const sent = await post("/messages", { to: opened(), ...data });
  if (sent && sent.id) location.replace(`#${encodeURIComponent(sent.id.split("_")[1])}`); // a new chat has its address now
  if (sent) await load();
  return sent;
}

const writing = compose(send);

find("devices").addEventListener("click", () => showDevices(dialog, number, fail));
find("start").addEventListener("submit", event => {
  event.preventDefault();
  const to = find("number").value.replace(/\D/g, "");
  const known = chats.find(chat => chat.number === to);
  if (to) location.hash = encodeURIComponent(known ? known.id : to);
  find("number").value = "";
});
dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });

const refresh = () => load().catch(() => { find("state").textContent = "connecting…"; drawn = ""; });
window.addEventListener("hashchange", () => { writing.answer(null); drawn = ""; refresh(); });
document.addEventListener("visibilitychange", refresh);
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);
refresh();
