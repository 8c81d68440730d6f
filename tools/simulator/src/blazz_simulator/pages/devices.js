// "Linked devices" of a phone: scan a code that a WhatsApp Web page shows, type a pairing code, log a device out.
import { clock, el } from "./parts.js";

const REFRESH_MS = 1000; // while the dialog is open: codes change, and pages come and go

async function call(method, path, data) {
  const answer = await fetch(`/_sim/web/${path}`, { method, body: data && JSON.stringify(data) });
  const body = await answer.json();
  return answer.ok ? body : Promise.reject(new Error(body.error.message));
}

const since = at => clock(Date.parse(at) / 1000);
const ago = at => {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000));
  return seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
};
// What a page says of its system and browser; where that is nothing, what the browser says of itself.
const named = device => device.platform || device.user_agent.split(" ").pop() || "A page";
const about = (device, ...lines) => el("div", { className: "about" }, el("b", {}, named(device)), ...lines.map(line => el("div", { className: "soft" }, line)));

// The code itself, small: whoever has the page before them sees that it is the same. Drawn anew only when it changes.
const pictures = new Map();
function picture(code) {
  if (!pictures.has(code)) {
    if (pictures.size > 50) pictures.clear();
    pictures.set(code, el("img", { src: `/web/qr.svg?code=${encodeURIComponent(code)}`, alt: "", title: code }));
  }
  return pictures.get(code);
}

export async function showDevices(dialog, number, fail) {
  const phone = number.replace(/\D/g, "");
  const run = work => work.then(draw, error => fail(error.message));
  const codes = el("div"), own = el("div");
  const scanned = el("input", { placeholder: "Or paste a code", ariaLabel: "Code of the page", autocomplete: "off" });
  const typed = el("input", { placeholder: "ABCD-EFGH", ariaLabel: "Pairing code", autocomplete: "off" });
  const form = (input, path) => {
    const node = el("form", {}, input);
    node.addEventListener("submit", event => {
      event.preventDefault();
      run(call("POST", path, { code: input.value.trim(), phone }).then(() => { input.value = ""; }));
    });
    return node;
  };

  async function draw() {
    const { devices } = await call("GET", "devices");
    const waiting = devices.filter(device => device.state === "waiting" && device.code);
    codes.replaceChildren(...waiting.map(device => el("div", { className: "device" }, picture(device.code),
      about(device, `Waits for ${ago(device.waiting_since)}, since ${since(device.waiting_since)}`, `Code ${device.code.slice(2, 12)}…`),
      el("button", { className: "small", onclick: () => run(call("POST", "scan", { code: device.code, phone })) }, "Scan"))));
    if (!waiting.length) codes.append(el("div", { className: "soft" }, "No page shows a code. Open /web/ in another window."));
    const linked = devices.filter(device => device.phone === phone && !["waiting", "logged_out"].includes(device.state));
    own.replaceChildren(...linked.map(device => el("div", { className: "device" }, el("span", {}, "💻"), about(device, `${device.state} · linked ${ago(device.linked_at)} ago`),
      el("button", { className: "small", onclick: () => run(call("DELETE", `devices/${encodeURIComponent(device.id)}`)) }, "Log out"))));
    if (!linked.length) own.append(el("div", { className: "soft" }, "No device is linked to this phone."));
  }

  dialog.replaceChildren(el("h3", {}, "Linked devices"), el("div", { className: "part" }, own),
    el("h4", {}, "Link a device"), el("div", { className: "part" }, codes, form(scanned, "scan")),
    el("h4", {}, "With a pairing code"), el("div", { className: "part" }, form(typed, "pair")));
  await draw().catch(error => fail(error.message));
  dialog.showModal();
  const timer = setInterval(() => draw().catch(() => {}), REFRESH_MS);
  dialog.addEventListener("close", () => clearInterval(timer), { once: true });
}
