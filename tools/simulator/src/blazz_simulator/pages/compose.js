// The box to write in: a text, a file, and which message it answers. `send` takes what the control API takes.
import { preview } from "./parts.js";

const find = id => document.getElementById(id);

export function compose(send) {
  let replyTo = null;

  function answer(message) {
    replyTo = message;
    find("replying").classList.toggle("on", Boolean(message));
    find("replying").firstElementChild.textContent = message ? preview(message) : "";
    if (message) find("text").focus();
  }

  find("replying").lastElementChild.addEventListener("click", () => answer(null));
  find("attach").addEventListener("click", () => find("file").click());
  find("file").addEventListener("change", ({ target }) => {
    const [file] = target.files, reader = new FileReader();
    const kind = file.type === "image/webp" ? "sticker" : ["image", "video", "audio"].find(name => file.type.startsWith(name)) || "document";
    reader.onload = () => send({ type: kind, [kind]: { data: reader.result.split(",")[1], mime_type: file.type || "application/octet-stream", filename: file.name } });
    reader.readAsDataURL(file);
    target.value = "";
  });
  find("compose").addEventListener("submit", async event => {
    event.preventDefault();
    const box = find("text"), text = box.value.trim();
    if (text && await send({ text, ...(replyTo && { context: { id: replyTo.id } }) })) { box.value = ""; answer(null); }
  });
  return { answer };
}
