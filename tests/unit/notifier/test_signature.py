"""Pusher's signatures, with the examples of its own documentation."""

import pytest
from blazz_notifier.signature import request_problem, sign_request, sign_subscription, subscription_is_signed

KEY, SECRET = "278d425bdf160c739803", "7ad3773142a6692b25b8"
BODY = b'{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}'
QUERY = [
    ("auth_key", KEY),
    ("auth_timestamp", "1353088179"),
    ("auth_version", "1.0"),
    ("body_md5", "ec365a775a4cd0599faeb73354201b6f"),
    ("auth_signature", "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"),
]


def test_a_private_subscription_is_signed_as_documented():
    auth = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
    assert sign_subscription(KEY, SECRET, "1234.1234", "private-foobar") == f"{KEY}:{auth}"


def test_a_presence_subscription_is_signed_as_documented():
    data = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}'
    auth = "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"
    assert sign_subscription(KEY, SECRET, "1234.1234", "presence-foobar", data) == f"{KEY}:{auth}"


def test_a_request_is_signed_as_documented():
    assert sign_request(SECRET, "POST", "/apps/3/events", QUERY) == QUERY[-1][1]


@pytest.mark.parametrize(
    "changed",
    [
        {"socket_id": "1234.1235"},
        {"channel": "private-foobaz"},
        {"channel_data": "{}"},
        {"secret": "other"},
        {"key": "other"},
    ],
)
def test_a_signature_holds_for_its_own_socket_channel_member_and_application_alone(changed):
    given = {"key": KEY, "secret": SECRET, "socket_id": "1234.1234", "channel": "private-foobar"}
    auth = sign_subscription(**given)
    assert subscription_is_signed(auth, **given)
    assert not subscription_is_signed(auth, **(given | changed))


def test_a_signature_with_characters_beyond_ascii_is_merely_wrong():
    assert not subscription_is_signed("ü:é", key=KEY, secret=SECRET, socket_id="1.1", channel="private-a")


def problem(query=QUERY, body=BODY, path="/apps/3/events", method="POST", now=1353088179.0):
    return request_problem(key=KEY, secret=SECRET, method=method, path=path, query=query, body=body, now=now)


def test_the_documented_request_is_taken():
    assert problem() is None
    assert problem(now=1353088179.0 + 599) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"body": BODY + b" "}, "body_md5"),
        ({"path": "/apps/4/events"}, "auth_signature"),
        ({"method": "GET"}, "auth_signature"),
        ({"now": 1353088179.0 + 601}, "auth_timestamp"),
        ({"now": 1353088179.0 - 601}, "auth_timestamp"),
        ({"query": [("auth_key", "other"), *QUERY[1:]]}, "auth_key"),
        ({"query": [*QUERY, ("info", "user_count")]}, "auth_signature"),
        ({"query": [*QUERY, ("auth_key", KEY)]}, "twice"),
        ({"query": QUERY[:2] + QUERY[3:]}, "auth_version"),
        ({"query": [(name, "soon" if name == "auth_timestamp" else value) for name, value in QUERY]}, "Unix time"),
        ({"query": []}, "auth_key"),
    ],
)
def test_a_request_that_was_changed_or_is_old_is_not_taken_and_says_why(changed, said):
    assert said in (problem(**changed) or "")
