"""What clients send."""

import contextlib

import pytest
from blazz_notifier.errors import Refused
from blazz_notifier.inbound import read, read_member
from hypothesis import given
from hypothesis import strategies as st


def test_a_client_event_is_read_as_it_is():
    message = read('{"event":"client-typing","channel":"private-a","data":"{}"}')
    assert (message.event, message.channel, message.data) == ("client-typing", "private-a", "{}")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"channel":"a"}', {"channel": "a"}),
        ('"{\\"channel\\":\\"a\\"}"', {"channel": "a"}),
        ("null", {}),
        ("[]", {}),
        ('""', {}),
    ],
)
def test_protocol_data_is_an_object_or_the_json_of_one(data, expected):
    assert read(f'{{"event":"pusher:subscribe","data":{data}}}').data == expected


@pytest.mark.parametrize(
    "text",
    [
        b"binary",
        "",
        "1",
        "[]",
        "{}",
        '{"event":null}',
        '{"event":""}',
        '{"event":"' + "x" * 201 + '"}',
        '{"event":"client-a","channel":5}',
        '{"event":"pusher:subscribe","data":[1]}',
        '{"event":"pusher:subscribe","data":"{"}',
        '{"event":"pusher:subscribe","data":7}',
    ],
)
def test_what_cannot_be_read_is_refused_with_reverbs_number(text):
    with pytest.raises(Refused) as refused:
        read(text)
    assert refused.value.number == 4200


@given(st.text() | st.binary() | st.from_regex(r'\{"event":.*\}', fullmatch=True))
def test_whatever_comes_it_is_read_or_refused(text):
    with contextlib.suppress(Refused):
        read(text)


@given(st.text() | st.none())
def test_whatever_channel_data_comes_it_is_read_or_refused(text):
    with contextlib.suppress(Refused):
        read_member(text, max_info_bytes=100)


def test_a_member_has_an_id_and_perhaps_something_to_show():
    assert read_member('{"user_id":"7"}', max_info_bytes=10).user_info is None
    assert read_member('{"user_id":7,"user_info":{"a":1}}', max_info_bytes=10).user_id == "7"


@pytest.mark.parametrize(
    "data",
    [
        None,
        "",
        "[]",
        "{}",
        '{"user_id":true}',
        '{"user_id":""}',
        '{"user_id":"1","user_info":[]}',
        '{"user_id":"1","user_info":{"a":"too long"}}',
    ],
)
def test_a_member_that_is_none_is_refused(data):
    with pytest.raises(Refused):
        read_member(data, max_info_bytes=10)
