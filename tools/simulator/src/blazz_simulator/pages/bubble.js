// One message as a bubble. `act` has what a customer can do with it: reply, choose from a list, open a dialog.
import { clock, el, formatted, safe, source } from "./parts.js";

const TICKS = { accepted: ["🕓", ""], sent: ["✓", ""], delivered: ["✓✓", ""], received: ["✓✓", ""], read: ["✓✓", "read"], played: ["✓✓", "read"] };

export function ticks(message) {
  if (message.status === "failed") return el("span", { className: "failed" }, ` ⚠ failed ${message.error ?? ""}`);
  const [mark, name] = TICKS[message.status] || ["", ""];
  return el("span", { className: name, title: message.status }, ` ${mark}`);
}

function media(kind, body) {
  const url = source(body);
  if (kind === "image" || kind === "sticker") return el("img", { src: url, alt: body.caption || kind, className: kind });
  if (kind === "video") return el("video", { src: url, controls: true, preload: "metadata" });
  if (kind === "audio") return el("audio", { src: url, controls: true, preload: "metadata" });
  return el("a", { className: "file", href: url, target: "_blank", rel: "noopener noreferrer" }, "📄", el("span", {}, body.filename || body.caption || "document"));
}

function place(body) {
  const at = `${body.latitude}, ${body.longitude}`;
  return el("div", { className: "place" }, "📍", el("div", {}, el("b", {}, body.name || "Location"), el("br"), body.address || "", el("div", { className: "soft" }, at)));
}

function header(part) {
  if (!part) return "";
  if (part.text) return el("h4", {}, ...formatted(part.text));
  const kind = part.type || part.format?.toLowerCase();
  const body = part[kind];
  if (kind === "location" && body) return place(body);
  return body ? media(kind, body) : "";
}

function buttonsOf(message, act) {
  const body = message[message.type] || {};
  const reply = data => act.send({ ...data, context: { id: message.id } });
  if (message.type === "template") {
    return (message.rendered?.buttons || []).map(button => {
      if (button.type === "QUICK_REPLY") return el("button", { onclick: () => reply({ type: "button", button: { payload: button.payload, text: button.text } }) }, button.text);
      if (button.url) return el("a", { href: safe(button.url) || "#", target: "_blank", rel: "noopener noreferrer" }, `↗ ${button.text}`);
      if (button.type === "FLOW") return el("button", { onclick: () => reply(flow()) }, button.text);
      return el("button", { disabled: true }, button.text || button.type);
    });
  }
  const action = body.action;
  if (message.type !== "interactive" || !action) return [];
  if (body.type === "button") {
    return action.buttons.map(({ reply: { id, title } }) => el("button", { onclick: () => reply({ type: "interactive", interactive: { type: "button_reply", button_reply: { id, title } } }) }, title));
  }
  if (body.type === "list") return [el("button", { onclick: () => act.choose(action, row => reply({ type: "interactive", interactive: { type: "list_reply", list_reply: row } })) }, `☰ ${action.button}`)];
  if (body.type === "cta_url") return [el("a", { href: safe(action.parameters.url) || "#", target: "_blank", rel: "noopener noreferrer" }, `↗ ${action.parameters.display_text}`)];
  if (body.type === "flow") return [el("button", { onclick: () => reply(flow(action.parameters.flow_token)) }, action.parameters.flow_cta)];
  if (body.type === "location_request_message") return [el("button", { onclick: () => reply({ type: "location", location: { latitude: 52.52, longitude: 13.405, name: "Here" } }) }, "📍 Send location")];
  return [el("button", { disabled: true }, body.type.replaceAll("_", " "))];
}

const flow = token => ({ type: "interactive", interactive: { type: "nfm_reply", nfm_reply: { name: "flow", body: "Sent", response_json: JSON.stringify({ flow_token: token || "unused" }) } } });

function edited(message) {
  const body = message[message.type];
  return message.type === "text" ? { ...body, body: message.edited } : { ...body, caption: message.edited };
}

function content(message) {
  if (message.revoked) return [el("span", { className: "gone" }, "🚫 This message was deleted")];
  const body = message.edited === undefined ? message[message.type] || {} : edited(message);
  if (message.type === "text") return formatted(body.body);
  if (["image", "video", "audio", "document", "sticker"].includes(message.type)) return [media(message.type, body), ...formatted(body.caption || "")];
  if (message.type === "location") return [place(body)];
  if (message.type === "contacts") return body.map(contact => el("div", { className: "file" }, "👤", el("div", {}, el("b", {}, contact.name?.formatted_name || "Contact"), ...(contact.phones || []).map(phone => el("div", { className: "soft" }, phone.phone || "")))));
  if (message.type === "button") return formatted(body.text || "");
  if (message.type === "template") {
    const shown = message.rendered;
    if (!shown) return [`Template ${body.name}`];
    return [header(shown.header), ...formatted(shown.body || ""), shown.footer ? el("div", { className: "foot" }, shown.footer) : ""];
  }
  if (message.type === "interactive") {
    const answer = body.button_reply || body.list_reply;
    if (answer) return [el("b", {}, answer.title), answer.description ? el("div", { className: "foot" }, answer.description) : ""];
    if (body.nfm_reply) return ["✓ Form sent"];
    return [header(body.header), ...formatted(body.body?.text || ""), body.footer ? el("div", { className: "foot" }, body.footer.text) : ""];
  }
  return [el("i", {}, `${message.type} message`)];
}

export function bubble(message, quoted, act) {
  const buttons = buttonsOf(message, act);
  const node = el("div", { className: `bubble ${message.from}`, title: message.id },
    quoted ? el("div", { className: "quote" }, quoted) : "",
    ...content(message),
    el("div", { className: "meta" }, message.edited === undefined || message.revoked ? "" : "Edited ", clock(message.at), ticks(message)),
    buttons.length ? el("div", { className: "buttons" }, ...buttons) : "",
    message.from === "business" ? el("button", { className: "react", ariaLabel: "Reply or react", onclick: () => act.react(message) }, "☺") : "");
  node.dataset.id = message.id;
  return node;
}
