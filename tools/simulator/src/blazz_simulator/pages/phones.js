// The list of phones: loaded anew, at most twice a second, when anything happens on any of them.
import { avatar, clock, el, get, preview } from "./parts.js";

const list = document.getElementById("list"), input = document.getElementById("number");
let timer = null;

async function load() {
  timer = null;
  const search = input.value.replace(/^\+/, "");
  const [{ phones, total }, linked] = await Promise.all([get(`/_sim/phones?limit=200&search=${encodeURIComponent(search)}`), get("/_sim/web/phones")]);
  const lines = linked.phones.filter(line => `${line.phone} ${line.name}`.toLowerCase().includes(search.toLowerCase()));
  const own = lines.map(line => el("a", { className: "row", href: `/phones/${line.phone}` }, avatar(line.name, line.phone),
    el("div", { className: "grow" }, el("div", {}, el("b", {}, line.name), " ", el("span", { className: "soft" }, `+${line.phone}`)),
      el("div", { className: "last" }, `${line.devices ? "💻 Linked to WhatsApp Web" : "Was linked to WhatsApp Web"} · ${line.chats} ${line.chats === 1 ? "chat" : "chats"}`))));
  list.replaceChildren(...own, ...phones.filter(phone => !lines.some(line => line.phone === phone.number)).map(phone => el("a", { className: "row", href: `/phones/${phone.number}` },
    avatar(phone.name, phone.number),
    el("div", { className: "grow" },
      el("div", {}, el("b", {}, phone.name), " ", el("span", { className: "soft" }, phone.wa_id ? `+${phone.number}` : phone.number)),
      el("div", { className: "last" }, phone.last ? preview(phone.last) : "")),
    el("div", {}, el("time", {}, phone.last ? clock(phone.last.at) : ""), " ",
      phone.unread ? el("span", { className: "badge" }, String(phone.unread)) : ""))));
  if (!phones.length && !own.length) list.append(el("div", { className: "row soft" }, total ? "No phone matches." : "No phone has got anything yet."));
  document.getElementById("total").textContent = total > phones.length ? `${phones.length} of ${total} phones` : "";
}

const soon = () => { timer ??= setTimeout(load, 500); };
input.addEventListener("input", soon);
document.getElementById("open").addEventListener("submit", event => {
  event.preventDefault();
  const value = input.value.trim();
  if (value) location.href = `/phones/${encodeURIComponent(value.replace(/[\s+()-]/g, ""))}`;
});
const events = new EventSource("/phones/events");
events.onopen = load;
for (const kind of ["message", "status"]) events.addEventListener(kind, soon);
