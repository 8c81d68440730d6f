// Small pieces both pages are made of. Text is always set as text, never as HTML: it comes from anyone.
export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter(child => child !== "" && child !== null && child !== undefined));
  return node;
}

export const get = path => fetch(path).then(answer => answer.json());

// Show what went wrong for a moment.
export function fail(text) {
  const box = document.getElementById("error");
  box.textContent = text;
  box.classList.add("on");
  setTimeout(() => box.classList.remove("on"), 5000);
}

export function avatar(name, key) {
  const node = document.createElement("div");
  return paint(node, name, key);
}

export function paint(node, name, key) {
  let hue = 0;
  for (const letter of key) hue = (hue * 31 + letter.charCodeAt(0)) % 360;
  node.className = "avatar";
  node.style.background = `hsl(${hue} 45% 45%)`;
  node.textContent = (name || "?").split(" ").map(word => word[0]).slice(0, 2).join("");
  return node;
}

export const clock = at => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
export const day = at => new Date(at * 1000).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });
export const safe = url => (/^https?:\/\//i.test(url || "") ? url : null);
export const source = media => safe(media.link) || (media.id ? `/_sim/media/${encodeURIComponent(media.id)}` : "");

const ICONS = { image: "📷 Photo", video: "🎥 Video", audio: "🎤 Audio", sticker: "Sticker", document: "📄 Document",
  location: "📍 Location", contacts: "👤 Contact", reaction: "Reaction", order: "🛒 Order", unsupported: "Unsupported message" };

export function preview(message) {
  if (message.revoked) return "🚫 This message was deleted";
  if (message.edited !== undefined) return message.edited;
  const body = message[message.type] || {};
  if (message.type === "text") return body.body;
  if (message.type === "template") return message.rendered?.body || `Template ${body.name}`;
  if (message.type === "interactive") return body.body?.text || body.button_reply?.title || body.list_reply?.title || "Interactive message";
  if (message.type === "button") return body.text;
  if (message.type === "reaction") return body.emoji ? `Reacted ${body.emoji}` : "Took a reaction back";
  return body.caption ? `${ICONS[message.type]}: ${body.caption}` : ICONS[message.type] || message.type;
}

// WhatsApp's own marks: *bold*, _italic_, ~struck~, ```fixed```; and links.
const MARKS = [[/```([^`]+)```/, "code"], [/\*([^*\n]+)\*/, "b"], [/_([^_\n]+)_/, "i"], [/~([^~\n]+)~/, "s"]];
export function formatted(text) {
  const link = /https?:\/\/[^\s]+/.exec(text);
  if (link) {
    return [...formatted(text.slice(0, link.index)),
      el("a", { href: link[0], target: "_blank", rel: "noopener noreferrer" }, link[0]),
      ...formatted(text.slice(link.index + link[0].length))];
  }
  for (const [mark, tag] of MARKS) {
    const found = mark.exec(text);
    if (found) {
      return [...formatted(text.slice(0, found.index)), el(tag, {}, ...formatted(found[1])),
        ...formatted(text.slice(found.index + found[0].length))];
    }
  }
  return text ? [text] : [];
}
