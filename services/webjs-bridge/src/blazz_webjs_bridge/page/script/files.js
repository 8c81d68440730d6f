// Files on their way in (the bridge puts one into an input of ours) and out (the browser downloads it).

const SLOTS = 100; // files under way; one that nobody takes any more is let go
const slots = new Map();
const KEEP_LINK = 120_000; // milliseconds that a download may take to begin

// An input that is on no page: the bridge hands a file to it, and `takeFile` reads it from there, by reference.
function slot(token) {
  const input = document.createElement("input");
  input.type = "file";
  slots.set(token, input);
  if (slots.size > SLOTS) slots.delete(slots.keys().next().value);
  return input;
}

function takeFile(token, { filename, mime_type: type }) {
  const file = slots.get(token)?.files?.[0];
  slots.delete(token);
  if (!file) throw new Refused("file_missing", "The file did not reach the page");
  return new File([file], filename || file.name || "file", { type: type || file.type || "application/octet-stream" });
}

function dropSlot(token) {
  slots.delete(token);
}

async function download({ id, limit, token }) {
  needChats();
  const message = await WPP.chat.getMessageById(id);
  const told = amount(attempt(() => message.size));
  const refuse = size => { throw new Refused("file_too_large", `The file has ${size} bytes, more than ${limit}`); };
  if (told !== null && told > limit) refuse(told);
  const blob = await WPP.chat.downloadMedia(id);
  if (!(blob instanceof Blob)) throw new Refused("media_not_found", "WhatsApp Web gave no file");
  if (blob.size > limit) refuse(blob.size);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = token;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_LINK);
  return { size: blob.size };
}
