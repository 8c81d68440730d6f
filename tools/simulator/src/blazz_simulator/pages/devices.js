// "Linked devices" of a phone: scan a code that a WhatsApp Web page shows, type a pairing code, log a device out.
import { el } from "./parts.js";

const REFRESH_MS = 1000; // while the dialog is open: codes change, and pages come and go

async function call(method, path, data) {
  const answer = await fetch(`/_sim/web/${path}`, { method, body: data && JSON.stringify(data) });
  const body = await answer.json();
  return answer.ok ? body : Promise.reject(new Error(body.error.message));
}

const short = code => `${code.slice(2, 14)}…`;

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
    codes.replaceChildren(...waiting.map(device => el("div", { className: "device" }, el("code", { title: device.code }, short(device.code)),
      el("span", { className: "soft" }, device.platform), el("button", { className: "small", onclick: () => run(call("POST", "scan", { code: device.code, phone })) }, "Scan"))));
    if (!waiting.length) codes.append(el("div", { className: "soft" }, "No page shows a code. Open /web/ in another window."));
    const linked = devices.filter(device => device.phone === phone && !["waiting", "logged_out"].includes(device.state));
    own.replaceChildren(...linked.map(device => el("div", { className: "device" }, el("span", {}, `💻 ${device.platform || device.id}`), el("span", { className: "soft" }, device.state),
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
