"""Templates: managed through the Graph API, reviewed, and sent only as they are."""

from typing import Any

from tests.support.polling import until

from .conftest import Receiver, Simulator

BODY = {"type": "BODY", "text": "Hello {{1}}, it is {{2}}.", "example": {"body_text": [["Ada", "noon"]]}}


async def _create(simulator: Simulator, name: str = "greeting", **more: Any) -> tuple[int, Any]:
    data = {"name": name, "language": "en_US", "category": "MARKETING", "components": [BODY], **more}
    return await simulator.graph("POST", f"{simulator.waba}/message_templates", json=data)


async def _send(simulator: Simulator, *texts: str, name: str = "greeting") -> tuple[int, Any]:
    parameters = [{"type": "text", "text": text} for text in texts]
    template = {
        "name": name,
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": parameters}],
    }
    return await simulator.post({"to": simulator.customer, "type": "template", "template": template})


async def test_a_new_template_is_pending_then_approved_and_told(simulator: Simulator, receiver: Receiver) -> None:
    status, created = await _create(simulator)
    assert (status, created["status"], created["category"]) == (200, "PENDING", "MARKETING")
    told = (await until(lambda: receiver.values("message_template_status_update")))[0]
    assert told == {
        "event": "APPROVED",
        "message_template_id": int(created["id"]),
        "message_template_name": "greeting",
        "message_template_language": "en_US",
        "message_template_category": "MARKETING",
        "reason": "NONE",
    }
    status, answer = await _send(simulator, "Ada", "noon")
    assert status == 200, answer
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    assert phone["messages"][0]["rendered"]["body"] == "Hello Ada, it is noon."
    wamid = answer["messages"][0]["id"]
    assert (await until(lambda: receiver.statuses(wamid)))[0]["pricing"]["category"] == "marketing"


async def test_what_is_not_there_or_not_approved_cannot_be_sent(simulator: Simulator) -> None:
    status, answer = await _send(simulator, name="unknown")
    assert (status, answer["error"]["code"]) == (404, 132001)
    _, created = await _create(simulator)
    for state, code in (("PAUSED", 132015), ("DISABLED", 132016), ("REJECTED", 132001)):
        await simulator.control("PUT", f"templates/{created['id']}", {"status": state})
        _, answer = await _send(simulator, "Ada", "noon")
        assert answer["error"]["code"] == code


async def test_the_number_of_parameters_must_be_right(simulator: Simulator) -> None:
    _, created = await _create(simulator)
    await simulator.control("PUT", f"templates/{created['id']}", {"status": "APPROVED"})
    for texts in ((), ("Ada",), ("Ada", "noon", "more")):
        status, answer = await _send(simulator, *texts)
        assert (status, answer["error"]["code"]) == (400, 132000)
    status, answer = await _send(simulator, "Ada", "line\nbreak")
    assert (status, answer["error"]["code"]) == (400, 132012)


async def test_templates_are_listed_page_by_page(simulator: Simulator) -> None:
    for number in range(4):
        await _create(simulator, name=f"t{number}")
    seen, path = [], f"{simulator.waba}/message_templates?limit=4&fields=name,status"
    while path:
        _, page = await simulator.graph("GET", path)
        seen += [template["name"] for template in page["data"]]
        assert all(set(template) == {"name", "status", "id"} for template in page["data"])
        path = page["paging"].get("next", "").partition("/v23.0/")[2]
    assert seen == ["hello_world", "order_update", "t0", "t1", "t2", "t3"]
    _, found = await simulator.graph("GET", f"{simulator.waba}/message_templates?name=t2")
    assert [template["name"] for template in found["data"]] == ["t2"]


async def test_an_edit_is_reviewed_again_and_old_messages_stay_as_they_were(
    simulator: Simulator, receiver: Receiver
) -> None:
    _, created = await _create(simulator)
    await until(lambda: receiver.values("message_template_status_update"))
    await _send(simulator, "Ada", "noon")
    edited = [{"type": "BODY", "text": "Bye {{1}}.", "example": {"body_text": [["Ada"]]}}]
    status, _ = await simulator.graph("POST", created["id"], json={"components": edited})
    assert status == 200
    await until(lambda: len(receiver.values("message_template_status_update")) == 2)
    assert (await _send(simulator, "Ada"))[0] == 200
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    bodies = [message["rendered"]["body"] for message in phone["messages"]]
    assert bodies == ["Hello Ada, it is noon.", "Bye Ada."]


async def test_a_deleted_template_is_gone(simulator: Simulator) -> None:
    await _create(simulator)
    path = f"{simulator.waba}/message_templates?name=greeting"
    assert (await simulator.graph("DELETE", path))[1] == {"success": True}
    assert (await simulator.graph("DELETE", path))[0] == 400
    assert (await _send(simulator, "Ada", "noon"))[1]["error"]["code"] == 132001


async def test_a_paused_template_can_be_unpaused(simulator: Simulator) -> None:
    _, created = await _create(simulator)
    await simulator.control("PUT", f"templates/{created['id']}", {"status": "PAUSED"})
    assert (await simulator.graph("POST", f"{created['id']}/unpause"))[1] == {"success": True}
    assert (await _send(simulator, "Ada", "noon"))[0] == 200
    assert (await simulator.graph("POST", f"{created['id']}/unpause"))[1]["success"] is False


async def test_the_same_name_and_language_is_refused_a_second_time(simulator: Simulator) -> None:
    assert (await _create(simulator))[0] == 200
    status, answer = await _create(simulator)
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 2388024)
    assert (await _create(simulator, language="de"))[0] == 200
