// The list of phones: loaded anew, at most twice a second, when anything happens on any of them.
import { avatar, el, preview, clock } from "./parts.js";

const list = document.getElementById("list"), input = document.getElementById("number");
let timer = null;

async function load() {
  timer = null;
  const answer = await fetch(`/_sim/phones?limit=200&search=${encodeURIComponent(input.value.replace(/^\+/, ""))}`);
  const { phones, total } = await answer.json();
  list.replaceChildren(...phones.map(phone => el("a", { className: "row", href: `/phones/${phone.number}` },
    avatar(phone.name, phone.number),
    el("div", { className: "grow" },
      el("div", {}, el("b", {}, phone.name), " ", el("span", { className: "soft" }, phone.wa_id ? `+${phone.number}` : phone.number)),
      el("div", { className: "last" }, phone.last ? preview(phone.last) : "")),
    el("div", {}, el("time", {}, phone.last ? clock(phone.last.at) : ""), " ",
      phone.unread ? el("span", { className: "badge" }, String(phone.unread)) : ""))));
  if (!phones.length) list.append(el("div", { className: "row soft" }, total ? "No phone matches." : "No phone has got anything yet."));
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
