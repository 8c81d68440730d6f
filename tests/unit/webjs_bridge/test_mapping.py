"""What goes out and comes in, in the words of both sides."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from blazz_contracts.content import CONTENT
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from blazz_contracts.session import SessionState
from blazz_contracts.views.session import SessionOptions
from blazz_webjs_bridge import incoming, outgoing
from blazz_webjs_bridge.page.facts import Edited, Reacted, Revoked
from blazz_webjs_bridge.page.words import File, Somebody, WebMessage
from blazz_webjs_bridge.refusals import Refused, by_page
from blazz_webjs_bridge.session import Session

ADA = Somebody(chat="77@lid", phone="4915112345678", lid="77", name="Ada")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def command(content: dict[str, Any], **more: Any) -> SessionSend:
    return SessionSend(
        workspace_id=uuid4(),
        session_id=uuid4(),
        message_id=uuid4(),
        attempt=1,
        to=Person(phone="4915112345678"),
        content=CONTENT.validate_python(content),
        requested_at=NOW,
        **more,
    )


def session() -> Session:
    return Session(
        id=uuid4(),
        workspace_id=uuid4(),
        name="Sales",
        options=SessionOptions(),
        made=True,
        wanted="running",
        owner="me",
        fence=1,
        state=SessionState.READY,
        cause=None,
        since=NOW,
        revision=1,
        qr_revision=0,
        qr_at=None,
        qr_until=None,
        phone="4915100000001",
        lid=None,
        account_name=None,
        restarts=0,
        memory_bytes=None,
        heard_at=None,
        seen_until=None,
        sealed_qr="sealed",
        sealed_pairing_code=None,
        pairing_code_until=None,
        created_at=NOW,
    )


def message(**more: Any) -> WebMessage:
    fields: dict[str, Any] = {
        "id": "false_77@lid_AB",
        "from_me": False,
        "person": ADA,
        "type": "text",
        "at": 1_800_000_000,
    }
    return WebMessage(**(fields | more))


def test_numbers_named_in_a_text_are_mentioned() -> None:
    send = outgoing.send_of(command({"type": "text", "body": "Ask @4915112345678 or @me"}), "77@lid", "true_77@lid_AB")
    assert (send.text, send.mentions) == ("Ask @4915112345678 or @me", ["4915112345678"])


def test_a_reaction_needs_the_message_it_is_put_on() -> None:
    content = {"type": "reaction", "message_id": str(uuid4()), "emoji": "👍"}
    assert outgoing.send_of(command(content, target="false_77@lid_CD"), "77@lid", "true_77@lid_AB").emoji == "👍"
    with pytest.raises(Refused) as refused:
        outgoing.send_of(command(content), "77@lid", "true_77@lid_AB")
    assert refused.value.refusal.code == "target_not_found"


def test_what_whatsapp_web_cannot_send_is_refused_by_name() -> None:
    content = {"type": "interactive", "interactive": {"type": "button", "action": {}}}
    with pytest.raises(Refused) as refused:
        outgoing.send_of(command(content), "77@lid", "true_77@lid_AB")
    assert refused.value.refusal.code == "type_not_supported"


def test_what_the_page_refuses_is_told_in_words_for_people() -> None:
    assert by_page("chat_not_found", "").code == "not_on_whatsapp"
    assert by_page("something_new", "odd").code == "refused"


def test_a_message_comes_in_under_both_ids_of_who_wrote_it() -> None:
    told = incoming.message(session(), message(text="Hi", quoted="true_77@lid_00", forwarded=True))
    assert (told.phone, told.lid, told.profile_name, told.echo) == ("4915112345678", "77", "Ada", False)
    assert (told.content, told.context, told.extra) == ({"body": "Hi"}, {"id": "true_77@lid_00"}, {"forwarded": True})


def test_a_file_comes_in_with_its_caption_and_where_it_is_kept() -> None:
    file = File(mime_type="image/jpeg", size=3, filename="a.jpg")
    told = incoming.message(session(), message(type="image", text="Look", file=file), media={"media_id": "m"})
    assert told.content == {
        "caption": "Look",
        "mime_type": "image/jpeg",
        "filename": "a.jpg",
        "size": 3,
        "media_id": "m",
    }


def test_corrections_name_the_message_they_change_and_are_facts_of_their_own() -> None:
    edit = incoming.edited(session(), Edited(id="false_77@lid_AB", message=message(text="New"), at=1_800_000_001))
    assert (edit.type, edit.content["message_id"], edit.content["body"]) == ("edit", "false_77@lid_AB", "New")
    revoke = incoming.revoked(session(), Revoked(id="false_77@lid_AB", person=ADA, from_me=False, at=1))
    assert (revoke.type, revoke.content) == ("revoke", {"message_id": "false_77@lid_AB"})
    reaction = incoming.reacted(
        session(), Reacted(id="false_77@lid_EE", target="true_77@lid_AB", emoji="👍", person=ADA, from_me=False, at=1)
    )
    assert (reaction.type, reaction.content) == ("reaction", {"message_id": "true_77@lid_AB", "emoji": "👍"})
    assert len({edit.provider_message_id, revoke.provider_message_id, reaction.provider_message_id}) == 3


def test_a_clock_gone_mad_gives_a_moment_all_the_same() -> None:
    assert incoming.at(10**15).year == 2100


def test_a_session_never_shows_its_codes_in_logs() -> None:
    assert "sealed" not in repr(session())
