"""The id under which an attempt is sent."""

import re
from uuid import UUID, uuid4

from blazz_webjs_bridge.journal import Entry, hex_in, hex_of
from hypothesis import given
from hypothesis import strategies as st

MESSAGE = UUID("0198c0de-7a11-7000-8000-000000000001")


@given(st.uuids(), st.integers(1, 1000))
def test_an_id_looks_like_one_of_whatsapp_web_and_is_the_same_for_the_same_attempt(message: UUID, attempt: int) -> None:
    made = hex_of(message, attempt)
    assert re.fullmatch(r"3EB0[0-9A-F]{18}", made)
    assert made == hex_of(message, attempt)


def test_attempts_and_messages_have_ids_of_their_own() -> None:
    made = {hex_of(MESSAGE, attempt) for attempt in range(1, 50)} | {hex_of(uuid4(), 1) for _ in range(50)}
    assert len(made) == 99


def test_the_id_never_changes_between_releases() -> None:
    # A message that was journalled by one release may be looked up by the next.
    assert hex_of(MESSAGE, 1) == "3EB0F86F8CDB5074180C6D"


def test_the_part_we_chose_is_found_in_a_full_key_of_a_chat_and_of_a_group() -> None:
    entry = Entry(MESSAGE, 1, "3EB0AB", "123@lid", "sent")
    assert entry.provider_message_id == "true_123@lid_3EB0AB"
    assert hex_in(entry.provider_message_id) == "3EB0AB"
    assert hex_in("true_12036304@g.us_3EB0CD_123@lid") == "3EB0CD"
    assert hex_in("garbage") == ""
