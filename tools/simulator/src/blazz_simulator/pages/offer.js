// What can be done with a message of somebody else: react to it, or answer it.
import { el } from "./parts.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

export function offer(dialog, message, send, answer) {
  const emoji = EMOJI.map(sign => el("button", { onclick: () => { dialog.close(); send({ type: "reaction", reaction: { message_id: message.id, emoji: sign } }); } }, sign));
  dialog.replaceChildren(el("div", { className: "emoji" }, ...emoji), el("button", { className: "pick", onclick: () => { dialog.close(); answer(message); } }, "↩ Reply"));
  dialog.showModal();
}
