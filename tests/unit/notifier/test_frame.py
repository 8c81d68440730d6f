"""Frames as clients get them."""

import json

from blazz_notifier import frame
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri


def received(data: bytes) -> list[dict[str, object]]:
    """What a websocket client makes of these bytes."""
    client = ClientProtocol(parse_uri("ws://test/"), state=OPEN)
    client.receive_data(data)
    return [json.loads(event.data) for event in client.events_received()]


def test_data_is_a_json_string_as_pusher_sends_it():
    assert received(frame.message("chat.new", {"chat": {"uuid": "ü"}}, "private-a")) == [
        {"event": "chat.new", "data": '{"chat":{"uuid":"ü"}}', "channel": "private-a"}
    ]


def test_data_that_is_text_already_goes_as_it_is():
    assert received(frame.message("x", channel="a", encoded="plain", user_id="7")) == [
        {"event": "x", "data": "plain", "channel": "a", "user_id": "7"}
    ]


def test_frames_of_any_length_can_be_written_together():
    texts = ["", "x" * 125, "x" * 126, "x" * 70_000]
    joined = b"".join(frame.message("x", encoded=text) for text in texts)
    assert [each["data"] for each in received(joined)] == texts


def test_a_subscription_that_succeeded_has_an_empty_object():
    assert received(frame.subscription_succeeded("a")) == [
        {"event": "pusher_internal:subscription_succeeded", "data": "{}", "channel": "a"}
    ]


def test_errors_carry_the_number_that_the_client_acts_upon():
    assert json.loads(str(received(frame.error(4009, "no"))[0]["data"])) == {"code": 4009, "message": "no"}
