"""What WhatsApp Web sends, and to whom."""

import pytest
from blazz_chat.people import Person
from blazz_chat.shown import shown
from blazz_chat.web import leaving, unreachable, unsendable


@pytest.mark.parametrize(
    "kind", ["text", "image", "video", "audio", "document", "sticker", "reaction", "location", "contacts", "template"]
)
def test_what_people_write_can_be_sent(kind: str) -> None:
    assert unsendable(kind) is None


def test_what_only_the_cloud_api_draws_cannot() -> None:
    refused = unsendable("interactive")
    assert refused is not None
    assert refused.code == "type_not_supported"


def test_a_template_leaves_as_what_was_written_of_it() -> None:
    text = {"type": "text", "body": "Hello"}
    assert leaving({"type": "template", "name": "x", "rendered": text}) == text
    assert leaving(text) == text


def person(phone: str | None = None, lid: str | None = None) -> Person:
    named = Person.named(phone, "NL.abc")
    return Person(named.id, named.phone, named.user_id, None, marketing_opt_out=False, lid=lid)


def test_a_number_or_a_hidden_id_is_enough_and_a_group_is_nobody() -> None:
    assert unreachable(person(phone="31612345678")) is None
    assert unreachable(person(lid="123")) is None
    assert unreachable(person()).code == "no_address"  # type: ignore[union-attr]
    assert unreachable(person(lid="1203@g.us")).code == "type_not_supported"  # type: ignore[union-attr]


def test_a_call_says_so_and_may_say_more() -> None:
    assert shown("call", {}) == "Missed call"
    assert shown("call", {"video": True, "status": "missed"}) == "Missed video call"
    assert shown("call", {"text": "They called"}) == "They called"


def test_a_correction_of_what_nobody_knows_shows_its_words() -> None:
    assert shown("edit", {"message_id": "x", "type": "text", "body": "at 6"}) == "at 6"
    assert shown("edit", {"message_id": "x", "type": "image", "caption": "me"}) == "me"
    assert shown("revoke", {"message_id": "x"}) == "This message was deleted"
