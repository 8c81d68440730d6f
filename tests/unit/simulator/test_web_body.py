"""Messages written in WhatsApp Web's fields and in the Cloud API's objects say the same."""

from typing import Any

import pytest
from blazz_simulator.media import Library
from blazz_simulator.settings import Settings
from blazz_simulator.web.body import cloud_body, cloud_type, web_fields

LIBRARY = Library(Settings())

SAME: dict[str, Any] = {
    "text": {"body": "hello"},
    "location": {"latitude": 52.5, "longitude": 13.4, "name": "Here", "address": "Street 1"},
}


@pytest.mark.parametrize("type_", list(SAME))
def test_there_and_back_is_the_same(type_: str) -> None:
    web_type, raw = web_fields(type_, SAME[type_], LIBRARY)
    assert (cloud_type(web_type), cloud_body(web_type, raw)) == (type_, SAME[type_])


def test_contacts_keep_names_and_numbers() -> None:
    contacts = [{"name": {"formatted_name": name}, "phones": [{"phone": "+49 151 1"}]} for name in ("Ada", "Bob")]
    for given, web_type in ((contacts[:1], "vcard"), (contacts, "multi_vcard")):
        got_type, raw = web_fields("contacts", given, LIBRARY)
        body = cloud_body(got_type, raw)
        assert (got_type, cloud_type(got_type)) == (web_type, "contacts")
        assert [{"name": c["name"], "phones": c["phones"]} for c in body] == given
        assert body[0]["vcard"].startswith("BEGIN:VCARD")


def test_a_voice_message_and_an_audio_file_differ() -> None:
    assert web_fields("audio", {"id": "1", "voice": True}, LIBRARY)[0] == "ptt"
    assert web_fields("audio", {"id": "1", "voice": False}, LIBRARY)[0] == "audio"
    assert cloud_body("ptt", {"mimetype": "audio/ogg"}) == {"mime_type": "audio/ogg", "voice": True}
    assert cloud_type("ptt") == "audio"


def test_a_caption_that_is_only_the_files_name_is_none() -> None:
    raw = {"mimetype": "image/png", "caption": "a.png", "isCaptionByUser": False}
    assert cloud_body("image", raw) == {"mime_type": "image/png"}


def test_what_is_of_no_known_type_keeps_its_plain_fields() -> None:
    assert cloud_body("poll_creation", {"pollName": "Which?", "odd": [1]}) == {"pollName": "Which?"}
    assert web_fields("unsupported", {}, LIBRARY) == ("unknown", {})
