"""What we ask of the Graph API has Meta's form for every type."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_chat.providers.cloud_api import payload
from blazz_chat.providers.protocol import Outgoing
from blazz_contracts.content import CONTENT

CARD = {"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+31612345678"}]}
BUTTONS = {"type": "button", "body": {"text": "?"}, "action": {"buttons": []}}
CASES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "text", "body": "hi", "preview_url": True}, {"body": "hi", "preview_url": True}),
    (
        {"type": "image", "link": "https://x.test/a.png", "caption": "c"},
        {"link": "https://x.test/a.png", "caption": "c"},
    ),
    (
        {"type": "document", "link": "https://x.test/a.pdf", "filename": "a.pdf"},
        {"link": "https://x.test/a.pdf", "filename": "a.pdf"},
    ),
    ({"type": "audio", "link": "https://x.test/a.ogg"}, {"link": "https://x.test/a.ogg"}),
    (
        {"type": "location", "latitude": 1.5, "longitude": 2.5, "name": "Here"},
        {"latitude": 1.5, "longitude": 2.5, "name": "Here"},
    ),
    ({"type": "contacts", "contacts": [CARD]}, [CARD]),
    ({"type": "interactive", "interactive": BUTTONS}, BUTTONS),
    (
        {"type": "template", "name": "hello_world", "language": "en_US"},
        {"name": "hello_world", "language": {"code": "en_US"}},
    ),
]


def outgoing(content: dict[str, Any], **more: Any) -> Outgoing:
    whole = CONTENT.validate_python(content).model_dump(mode="json", exclude_none=True)
    fields: dict[str, Any] = {
        "message_id": uuid4(),
        "attempt": 2,
        "content": whole,
        "phone": "31612345678",
        "user_id": None,
    }
    return Outgoing(**(fields | more))


@pytest.mark.parametrize(("content", "expected"), CASES, ids=[case[0]["type"] for case in CASES])
def test_each_type_has_its_object(content: dict[str, Any], expected: Any) -> None:
    message = outgoing(content)
    body = payload(message)
    assert body["type"] == content["type"]
    assert body[content["type"]] == expected
    assert body["biz_opaque_callback_data"] == f"{message.message_id}:2"
    assert (body["messaging_product"], body["recipient_type"], body["to"]) == ("whatsapp", "individual", "31612345678")


def test_an_upload_is_named_by_the_providers_id() -> None:
    message = outgoing({"type": "image", "media_id": str(UUID(int=7))}, provider_media_id="123")
    assert payload(message)["image"] == {"id": "123"}


def test_a_reaction_names_the_providers_message() -> None:
    message = outgoing({"type": "reaction", "message_id": str(UUID(int=7)), "emoji": "👍"}, target="wamid.7")
    assert payload(message)["reaction"] == {"message_id": "wamid.7", "emoji": "👍"}


def test_a_person_without_a_number_is_named_by_user_id() -> None:
    body = payload(outgoing({"type": "text", "body": "hi"}, phone=None, user_id="NL.abc"))
    assert body["recipient"] == "NL.abc"
    assert "to" not in body


def test_an_answer_names_what_it_answers() -> None:
    assert payload(outgoing({"type": "text", "body": "hi"}, reply_to="wamid.1"))["context"] == {"message_id": "wamid.1"}
