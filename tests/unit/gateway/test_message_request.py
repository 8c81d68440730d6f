"""What a client may ask for, and that the field at fault is named."""

from typing import Any
from uuid import uuid4

import pytest
from blazz_chassis.errors import Invalid
from blazz_contracts.content import Document, Image, Text
from blazz_contracts.message import Lane
from blazz_gateway import storable
from blazz_gateway.message_request import ChatSend, SendMessage, lane_for, text_of
from pydantic import ValidationError

TO = {"phone": "+31612345678"}
CARD = {"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+1"}]}
GOOD: dict[str, Any] = {
    "text": {"body": "hi", "preview_url": True},
    "image": {"link": "https://example.com/a.jpg", "caption": "c"},
    "video": {"media_id": str(uuid4())},
    "audio": {"link": "https://example.com/a.ogg"},
    "document": {"link": "https://example.com/a.pdf", "filename": "a.pdf"},
    "sticker": {"media_id": str(uuid4())},
    "reaction": {"message_id": str(uuid4()), "emoji": "👍"},
    "location": {"latitude": 1.5, "longitude": 2},
    "contacts": [CARD],
    "interactive": {"type": "button", "action": {"buttons": []}, "body": {"text": "?"}},
    "template": {"name": "order_1", "language": {"code": "en_US"}, "components": [{"type": "body"}]},
}


@pytest.mark.parametrize("kind", GOOD)
def test_every_type_becomes_the_contracts_content(kind: str) -> None:
    asked = SendMessage.model_validate({"to": TO, "type": kind, kind: GOOD[kind]})
    content = asked.content()
    assert content.type == kind
    if kind == "template":
        assert content.language == "en_US"


@pytest.mark.parametrize("kind", GOOD)
def test_a_message_without_its_content_names_the_field(kind: str) -> None:
    asked = SendMessage.model_validate({"to": TO, "type": kind})
    with pytest.raises(Invalid) as refused:
        asked.content()
    assert refused.value.field == kind


def test_a_second_content_is_refused_by_its_name() -> None:
    asked = SendMessage.model_validate({"to": TO, "type": "text", "text": {"body": "a"}, "image": GOOD["image"]})
    with pytest.raises(Invalid) as refused:
        asked.content()
    assert refused.value.field == "image"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": TO, "type": "text", "text": {"body": "a"}, "extra": 1}, ("extra",)),
        ({"to": TO, "type": "text", "text": {"body": "a", "boddy": 1}}, ("text", "boddy")),
        ({"to": {"phone": "12"}, "type": "text", "text": {"body": "a"}}, ("to", "phone")),
        ({"to": {"phoen": "+31612345678"}, "type": "text", "text": {"body": "a"}}, ("to", "phoen")),
        ({"to": TO, "type": "text", "text": {"body": ""}}, ("text", "body")),
        ({"to": TO, "type": "text", "text": {"body": "x" * 4097}}, ("text", "body")),
        ({"to": TO, "type": "text", "text": "a"}, ("text",)),
        ({"to": TO, "type": "fax", "text": {"body": "a"}}, ("type",)),
        ({"to": TO, "type": "image", "image": {}}, ("image",)),
        ({"to": TO, "type": "text", "text": {"body": "a"}, "lane": "campaign"}, ("lane",)),
        ({"type": "text", "text": {"body": "a"}}, ("to",)),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], field: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        SendMessage.model_validate(body)
    assert field in [error["loc"] for error in refused.value.errors()]


@pytest.mark.parametrize("to", [{}, {"phone": "+31612345678", "contact_id": str(uuid4())}])
def test_a_recipient_is_named_once(to: dict[str, str]) -> None:
    asked = SendMessage.model_validate({"to": to, "type": "text", "text": {"body": "a"}})
    with pytest.raises(Invalid) as refused:
        asked.to.recipient()
    assert refused.value.field == "to"


@pytest.mark.parametrize(
    ("kind", "asked", "lane"),
    [
        ("user", None, Lane.URGENT),
        ("token", None, Lane.HIGH),
        ("user", "normal", Lane.NORMAL),
        ("token", "high", Lane.HIGH),
    ],
)
def test_people_are_urgent_tokens_high_and_both_may_be_lower(kind: Any, asked: str | None, lane: Lane) -> None:
    assert lane_for(kind, asked) is lane


def test_nobody_raises_their_own_lane() -> None:
    with pytest.raises(Invalid) as refused:
        lane_for("token", "urgent")
    assert refused.value.field == "lane"


def test_the_old_request_becomes_content() -> None:
    contact = str(uuid4())
    text = ChatSend.model_validate({"contact_uuid": contact, "message": "hi"}).content()
    assert isinstance(text, Text)
    assert text.preview_url
    link = "https://example.com/a.pdf"
    assert ChatSend.model_validate({"contact_uuid": contact, "message": link, "type": "image"}).content() == Image(
        link=link
    )
    assert isinstance(
        ChatSend.model_validate({"contact_uuid": contact, "message": link, "type": "document"}).content(), Document
    )
    with pytest.raises(Invalid) as refused:
        ChatSend.model_validate({"contact_uuid": contact, "message": "no link", "type": "image"}).content()
    assert refused.value.field == "message"


def test_what_to_show_is_the_text_or_the_caption() -> None:
    assert text_of(Text(body="hi")) == "hi"
    assert text_of(Image(link="https://example.com/a.jpg", caption="c")) == "c"
    assert text_of(Image(link="https://example.com/a.jpg")) == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": TO, "type": "text", "text": {"body": "a\x00b"}}, "text.body"),
        ({"to": TO, "type": "contacts", "contacts": [{"name": {"formatted_name": "\ud83d"}}]}, None),
        ({"to": TO, "type": "interactive", "interactive": {"type": "x", "action": {"a\x00": 1}}}, None),
    ],
)
def test_text_that_no_store_takes_is_refused(body: dict[str, Any], field: str | None) -> None:
    asked = SendMessage.model_validate(body)
    with pytest.raises(Invalid) as refused:
        storable.check(asked)
    assert refused.value.field is not None
    if field:
        assert refused.value.field == field


def test_bottomless_json_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": deep}
    asked = SendMessage.model_validate({"to": TO, "type": "interactive", "interactive": {"type": "x", "action": deep}})
    with pytest.raises(Invalid) as refused:
        storable.check(asked)
    assert str(refused.value.field).startswith("interactive.action.a")


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (SendMessage, {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": " \n"}}),
        (ChatSend, {"contact_uuid": str(uuid4()), "message": "  "}),
    ],
)
def test_a_text_of_white_space_is_refused_before_whatsapp_does(model: Any, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="is empty or only white space"):
        model.model_validate(given)
