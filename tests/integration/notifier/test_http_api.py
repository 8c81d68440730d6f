"""Pusher's HTTP API, over two instances."""

import hashlib
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from blazz_notifier.signature import sign_request

JSON = {"content-type": "application/json"}


class Api:
    """Signs requests as Pusher's server libraries do."""

    def __init__(self, instance: Any, *, secret: str = "app-secret") -> None:
        self._url, self._secret = instance.http_url, secret

    async def call(self, method: str, path: str, body: Any = None, *, at: float | None = None, **query: str) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        query |= {"auth_key": "app-key", "auth_timestamp": str(int(at or time.time())), "auth_version": "1.0"}
        if content:
            query["body_md5"] = hashlib.md5(content).hexdigest()
        path = f"/apps/app-id{path}"
        query["auth_signature"] = sign_request(self._secret, method, path, list(query.items()))
        async with httpx.AsyncClient(base_url=self._url, headers=JSON) as client:
            return await client.request(method, path, params=query, content=content)


async def test_an_event_reaches_listeners_of_every_instance_but_the_socket_that_caused_it(notifier):
    first, second = await notifier(), await notifier()
    workspace = uuid4()
    private = f"private-workspace.{workspace}"
    near, far, cause = await first.connect(), await second.connect(), await second.connect()
    await near.subscribe("news")
    await far.subscribe(private)
    await cause.subscribe(private)
    answer = await Api(first).call(
        "POST",
        "/events",
        {"name": "hello", "data": '{"a":1}', "channels": ["news", private], "socket_id": cause.socket_id},
    )
    assert (answer.status_code, answer.json()) == (200, {})
    assert await near.next("hello", channel="news") == {"a": 1}
    assert await far.next("hello", channel=private) == {"a": 1}
    await Api(second).call("POST", "/events", {"name": "end", "data": "plain", "channel": private})
    assert await cause.next("end") == "plain"
    assert not cause.named("hello")


async def test_a_batch_keeps_its_order(notifier):
    instance = await notifier()
    client = await instance.connect()
    await client.subscribe("news")
    batch = [{"name": "count", "data": str(number), "channel": "news"} for number in range(10)]
    answer = await Api(instance).call("POST", "/batch_events", {"batch": batch})
    assert (answer.status_code, answer.json()) == (200, {"batch": {}})
    await client.next("count", count=10)
    assert client.named("count") == list(range(10))


async def test_channels_and_users_are_counted_over_all_instances(notifier, eventually):
    first, second = await notifier(), await notifier()
    name = f"presence-workspace.{uuid4()}"
    public = f"news-{uuid4()}"
    clients = [await (first, second)[number % 2].connect() for number in range(3)]
    for number, client in enumerate(clients):
        await client.subscribe(name, {"user_id": str(number % 2)})
        await client.subscribe(public)
    api = Api(first)

    async def seen() -> Any:
        answer = await api.call("GET", f"/channels/{public}", info="subscription_count")
        return answer.json()

    while (await seen())["subscription_count"] != 3:
        pass
    assert await seen() == {"occupied": True, "subscription_count": 3}
    channel = (await api.call("GET", f"/channels/{name}", info="user_count")).json()
    assert channel == {"occupied": True, "user_count": 2}
    listed = (await api.call("GET", "/channels", filter_by_prefix="presence-workspace.", info="user_count")).json()
    assert listed["channels"][name] == {"user_count": 2}
    assert (await api.call("GET", f"/channels/{name}/users")).json() == {"users": [{"id": "0"}, {"id": "1"}]}
    assert (await api.call("GET", "/channels/nobody")).json() == {"occupied": False}
    told = await api.call(
        "POST", "/events", {"name": "x", "data": "1", "channels": [name], "info": "user_count,subscription_count"}
    )
    assert told.json() == {"channels": {name: {"user_count": 2, "subscription_count": 3}}}


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": "wrong"}, 401),
        ({"ago": 700}, 401),
        ({"ago": -700}, 401),
        ({"ago": 300}, 200),
    ],
)
async def test_only_what_is_signed_now_and_with_the_secret_is_taken(notifier, how, status):
    instance = await notifier()
    api = Api(instance, secret=how.pop("secret", "app-secret"))
    if "ago" in how:  # counted from when the test runs, not from when it was collected
        how = {"at": time.time() - how["ago"]}
    answer = await api.call("POST", "/events", {"name": "x", "data": "1", "channel": "news"}, **how)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "signature_invalid"


async def test_a_changed_body_path_or_application_is_not_taken(notifier):
    instance = await notifier()
    query = {"auth_key": "app-key", "auth_timestamp": str(int(time.time())), "auth_version": "1.0"}
    body = b'{"name":"x","data":"1","channel":"news"}'
    query["body_md5"] = hashlib.md5(body).hexdigest()
    query["auth_signature"] = sign_request("app-secret", "POST", "/apps/app-id/events", list(query.items()))
    async with httpx.AsyncClient(base_url=instance.http_url, headers=JSON) as client:
        changed = await client.post("/apps/app-id/events", params=query, content=body.replace(b"news", b"olds"))
        moved = await client.post("/apps/app-id/batch_events", params=query, content=body)
        other = await client.post("/apps/other/events", params=query, content=body)
        right = await client.post("/apps/app-id/events", params=query, content=body)
    assert [each.status_code for each in (changed, moved, other, right)] == [401, 401, 404, 200]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "x", "data": "1"}, 422, None),
        ({"name": "x", "data": {"no": "string"}, "channel": "a"}, 422, "data"),
        ({"name": "pusher:error", "data": "1", "channel": "a"}, 422, "name"),
        ({"name": "x", "data": "1", "channels": ["not a channel"]}, 422, "channels"),
        ({"name": "x", "data": "1", "channels": ["a"] * 101}, 422, "channels"),
        ({"name": "x", "data": "y" * 10_001, "channel": "a"}, 413, "data"),
        ({"name": "x", "data": "1", "channel": "a", "socket_id": "abc"}, 422, "socket_id"),
    ],
)
async def test_bad_events_are_refused_and_name_the_field(notifier, body, status, field):
    answer = await Api(await notifier()).call("POST", "/events", body)
    assert answer.status_code == status
    if field is not None:
        assert field in [error["field"].removeprefix("body.") for error in answer.json()["errors"]]
