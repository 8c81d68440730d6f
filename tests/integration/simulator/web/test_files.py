"""Files: sent from a page, stored, and had again."""

import base64

import pytest

from .conftest import Sim, Tab, until

MEDIA = {
    "image": (
        "image/png",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        {},
    ),
    "video": ("video/mp4", base64.b64encode(b"\0\0\0\x18ftypmp42" + b"v" * 40).decode(), {}),
    "audio": ("audio/mpeg", base64.b64encode(b"ID3" + b"a" * 40).decode(), {}),
    "ptt": ("audio/ogg", base64.b64encode(b"OggS" + b"o" * 40).decode(), {"isPtt": True}),
    "document": ("application/pdf", base64.b64encode(b"%PDF-1.4 simulated").decode(), {}),
    "sticker": ("image/webp", "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA=", {}),
}


@pytest.mark.parametrize(
    ("kind", "source"), [*((kind, "data_url") for kind in MEDIA), ("image", "blob"), ("document", "file")]
)
async def test_files_are_sent_stored_and_had_again(linked: Tab, sim: Sim, kind: str, source: str) -> None:
    mimetype, data, more = MEDIA[kind]
    number = f"{list(MEDIA).index(kind):02d}{['data_url', 'blob', 'file'].index(source)}"
    customer = f"4915132345{number}"
    chat = await linked.chat(customer)
    options = {
        "type": "audio" if kind == "ptt" else kind,
        "caption": "see here",
        "filename": f"a.{kind}",
        "mimetype": mimetype,
        "messageId": f"true_{chat}_3EB0C0FFEE{number}",
        "markIsRead": False,
        **more,
    }
    sent = await linked.js(
        """async ([chat, data, mimetype, source, options]) => {
          const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
          const content = {
            data_url: `data:${mimetype};base64,${data}`,
            blob: new Blob([bytes], {type: mimetype}),
            file: new File([bytes], options.filename, {type: mimetype}),
          };
          return WPP.chat.sendFileMessage(chat, content[source], options);
        }""",
        [chat, data, mimetype, source, options],
    )
    assert (sent["id"], sent["ack"], sent["sendMsgResult"]["messageSendResult"]) == (options["messageId"], 1, "OK")
    entry = (await sim.ledger(customer))[-1]
    assert entry["type"] == ("audio" if kind == "ptt" else kind)
    assert entry["body"]["mime_type"] == mimetype
    assert entry["body"]["size"] == len(base64.b64decode(data))
    if kind in ("image", "video", "document"):
        assert entry["body"]["caption"] == "see here"
    if kind == "document":
        assert entry["body"]["filename"] == "a.document"
    if kind == "ptt":
        assert entry["body"]["voice"] is True
    async with sim.http.get(f"{sim.url}/_sim/media/{entry['body']['id']}") as answer:
        assert await answer.read() == base64.b64decode(data)
    again = await linked.js(
        "async id => (await (await WPP.chat.downloadMedia(id)).arrayBuffer()).byteLength", sent["id"]
    )
    assert again == len(base64.b64decode(data))


async def test_a_file_that_is_gone_is_not_found(linked: Tab, sim: Sim) -> None:
    written = await sim.write("4915132345991", {"type": "image", "to": linked.phone})
    await linked.event("chat.new_message", lambda message: message["id"]["_serialized"] == written)
    code = await linked.js(
        """async id => {
          const { mediaData } = await WPP.chat.getMessageById(id);
          mediaData.set({ directPath: "/web/media/1", filehash: "another" });
          return WPP.chat.downloadMedia(id).catch(error => error.code);
        }""",
        written,
    )
    assert code == "media_not_found"


async def test_a_file_sent_while_offline_is_uploaded_later(linked: Tab, sim: Sim) -> None:
    chat = await linked.chat("4915132345990")
    await sim.do("PUT", "web/faults", {"kind": "offline", "phone": linked.phone})
    await linked.until("WPP.conn.getStreamData().mode === 'OFFLINE'")
    sent = await linked.js(
        "chat => WPP.chat.sendFileMessage(chat, 'data:application/pdf;base64,JVBERi0=',"
        " {type: 'document', filename: 'x.pdf', waitForAck: false})",
        chat,
    )
    await linked.page.reload()
    await sim.do("DELETE", "web/faults")
    await linked.main()
    await until(lambda: linked.js("async id => (await WPP.chat.getMessageById(id)).ack === 3", sent["id"]))
    (entry,) = await sim.ledger("4915132345990")
    assert (entry["body"]["filename"], entry["body"]["size"]) == ("x.pdf", 5)
