"""What the Graph API takes and refuses, over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.polling import until

from .conftest import Receiver, Simulator

META: dict[str, Any] = json.loads((Path(__file__).parent / "meta" / "openapi-v23-extract.json").read_text())

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
COMPLETED = {"Send Reply to List Message": {"type": "interactive"}}
"""Examples that leave out what every other one of their kind has."""

UPLOADS = {
    "<AUDIO_OBJECT_ID>": "audio/ogg",
    "<DOCUMENT_OBJECT_ID>": "application/pdf",
    "<IMAGE_OBJECT_ID>": "image/png",
    "<MEDIA_OBJECT_ID>": "image/webp",
    "<VIDEO_OBJECT_ID>": "video/mp4",
}


async def test_a_text_gets_an_id_and_stands_in_the_ledger(simulator: Simulator) -> None:
    status, answer = await simulator.post(
        {"to": "+49 151 1234-5678", "text": {"body": "hi"}, "biz_opaque_callback_data": "m:1"}
    )
    assert status == 200
    assert answer["contacts"] == [{"input": "+49 151 1234-5678", "wa_id": "4915112345678"}]
    entry = (await simulator.ledger())[-1]
    assert entry.pop("at").endswith("+00:00")
    assert entry == {
        "seq": 1,
        "wamid": answer["messages"][0]["id"],
        "phone_number_id": simulator.number,
        "to": "4915112345678",
        "type": "text",
        "body": {"body": "hi"},
        "biz_opaque_callback_data": "m:1",
        "via": "cloud",
    }


async def test_the_ledger_gives_each_entry_once_page_by_page(simulator: Simulator) -> None:
    ids = [await simulator.text(f"text {number}") for number in range(7)]
    got, after = [], 0
    while True:
        _, page = await simulator.control("GET", f"ledger?after={after}&limit=3")
        if not page["entries"]:
            break
        assert len(page["entries"]) <= 3
        got += page["entries"]
        after = page["next"]
    assert [entry["wamid"] for entry in got] == ids
    assert [entry["seq"] for entry in got] == list(range(1, 8))


async def _fill(simulator: Simulator, example: Any) -> Any:
    """Put something real in the place of an example's placeholders."""
    text = json.dumps(example)
    for placeholder, mime_type in UPLOADS.items():
        if placeholder in text:
            _, upload = await simulator.upload(PNG, mime_type)
            text = text.replace(placeholder, upload["id"])
    for placeholder in ("{{Recipient-Phone-Number}}", "{{Recipient-WA-Phone-Number}}", "{{Recipient-Phone-Number-ID}}"):
        text = text.replace(placeholder, simulator.customer)
    return json.loads(text.replace("<http(s)", "http").replace("http(s)", "http").replace("<HEADER_TYPE>", "text"))


async def _create(simulator: Simulator, sent: dict[str, Any]) -> None:
    """Create the template an example sends, unless it is there."""
    components: list[dict[str, Any]] = []
    for part in sent.get("components", []):
        parameters = part["parameters"]
        if part["type"] == "header":
            components.append({"type": "HEADER", "format": parameters[0]["type"].upper()})
        elif part["type"] == "body":
            variables = " ".join(f"{{{{{number}}}}}" for number in range(1, len(parameters) + 1))
            example = {"body_text": [["x"] * len(parameters)]}
            components.append({"type": "BODY", "text": f"It is {variables}.", "example": example})
        else:
            known = next((c for c in components if c["type"] == "BUTTONS"), None)
            if known is None:
                known = {"type": "BUTTONS", "buttons": []}
                components.append(known)
            known["buttons"].append({"type": part["sub_type"].upper(), "text": f"b{part['index']}"})
    if not any(c["type"] == "BODY" for c in components):
        components.append({"type": "BODY", "text": "Hello."})
    if sent["name"] == "hello_world":
        return
    name = "".join(letter if letter.isalnum() else "_" for letter in sent["name"].lower())
    sent["name"], sent["language"]["code"] = name, "en_US"
    status, answer = await simulator.graph(
        "POST",
        f"{simulator.waba}/message_templates",
        json={"name": name, "language": "en_US", "category": "MARKETING", "components": components},
    )
    assert status == 200, answer
    await simulator.control("PUT", f"templates/{answer['id']}", {"status": "APPROVED"})


@pytest.mark.parametrize("name", META["examples"])
async def test_every_example_of_metas_own_description_is_accepted(simulator: Simulator, name: str) -> None:
    data = await _fill(simulator, META["examples"][name]) | COMPLETED.get(name, {})
    if data.get("status") == "read":
        _, written = await simulator.control("POST", f"phones/{simulator.customer}/messages", {"text": "hi"})
        data["message_id"] = written["id"]
    if data.get("type") == "template":
        await _create(simulator, data["template"])
    status, answer = await simulator.post(data)
    assert status == 200, answer


async def test_a_bad_token_is_refused_as_meta_does(simulator: Simulator) -> None:
    status, answer = await simulator.post({"to": "4915112345678", "text": {"body": "hi"}}, token="nobody's")
    assert status == 401
    error = answer["error"]
    assert (error["code"], error["type"]) == (190, "OAuthException")
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["fbtrace_id"]
    assert await simulator.ledger() == []


async def test_a_call_without_token_is_refused(simulator: Simulator) -> None:
    async with simulator.http.post(f"{simulator.url}/v23.0/{simulator.number}/messages", json={}) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["code"] == 104


async def test_a_token_opens_only_its_own_numbers(simulator: Simulator) -> None:
    await simulator.control("PUT", "accounts/777", {"display_phone_number": "15550100777", "access_token": "other"})
    status, answer = await simulator.post({"to": "4915112345678", "text": {"body": "hi"}}, token="other")
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)
    status, _ = await simulator.post({"to": "4915112345678", "text": {"body": "hi"}}, number="777", token="other")
    assert status == 200


async def test_a_message_to_a_user_id_is_answered_and_told_by_that_id(simulator: Simulator, receiver: Receiver) -> None:
    status, answer = await simulator.post({"recipient": "US.13491208655302741918", "text": {"body": "hi"}})
    assert status == 200
    assert answer["contacts"] == [{"input": "US.13491208655302741918", "user_id": "US.13491208655302741918"}]
    wamid = answer["messages"][0]["id"]
    status_update = (await until(lambda: receiver.statuses(wamid)))[0]
    assert status_update["recipient_user_id"] == "US.13491208655302741918"
    assert "recipient_id" not in status_update


async def test_a_user_id_reaches_the_phone_it_belongs_to(simulator: Simulator) -> None:
    await simulator.text("by number")
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    await simulator.post({"recipient": phone["user_id"], "text": {"body": "by id"}})
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    assert [message["text"]["body"] for message in phone["messages"]] == ["by number", "by id"]


async def test_marking_as_read_shows_the_customer_blue_ticks(simulator: Simulator) -> None:
    _, written = await simulator.control("POST", f"phones/{simulator.customer}/messages", {"text": "hi"})
    status, answer = await simulator.post(
        {"status": "read", "message_id": written["id"], "typing_indicator": {"type": "text"}}
    )
    assert (status, answer) == (200, {"success": True})
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    assert phone["messages"][0]["status"] == "read"
    status, answer = await simulator.post({"status": "read", "message_id": "wamid.unknown"})
    assert (status, answer["error"]["code"]) == (400, 131009)


async def test_a_form_body_is_understood_as_curl_sends_it(simulator: Simulator) -> None:
    form = {"messaging_product": "whatsapp", "to": simulator.customer, "type": "text", "text": '{"body": "hi"}'}
    status, answer = await simulator.graph("POST", f"{simulator.number}/messages", data=form)
    assert status == 200, answer


@pytest.mark.parametrize("version", ["v19.0", "v23.0", "v99.9"])
async def test_any_version_is_served(simulator: Simulator, version: str) -> None:
    headers = {"Authorization": f"Bearer {simulator.token}"}
    async with simulator.http.get(f"{simulator.url}/{version}/{simulator.number}", headers=headers) as answer:
        assert (await answer.json())["id"] == simulator.number


async def test_a_path_that_does_not_exist_is_refused_in_metas_envelope(simulator: Simulator) -> None:
    status, answer = await simulator.graph("POST", f"{simulator.number}/nonsense", json={})
    assert (status, answer["error"]["code"]) == (400, 2500)


async def test_the_window_closes_only_when_that_rule_is_on(simulator: Simulator) -> None:
    await simulator.text("no rule, no refusal")
    await simulator.control("PUT", "rules", {"window_24h": True})
    message = {"to": simulator.customer, "text": {"body": "hi"}}
    status, answer = await simulator.post(message)
    assert (status, answer["error"]["code"]) == (400, 131047)
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    assert (await simulator.post({"to": simulator.customer, "type": "template", "template": template}))[0] == 200
    await simulator.control("POST", f"phones/{simulator.customer}/messages", {"text": "hello"})
    assert (await simulator.post(message))[0] == 200


async def test_the_pair_limit_holds_for_one_recipient_only(simulator: Simulator) -> None:
    await simulator.control("PUT", "rules", {"pair_seconds": 60, "pair_burst": 2})
    for _ in range(2):
        await simulator.text()
    status, answer = await simulator.post({"to": simulator.customer, "text": {"body": "third"}})
    assert (status, answer["error"]["code"]) == (400, 131056)
    await simulator.text(to="4915112345679")
