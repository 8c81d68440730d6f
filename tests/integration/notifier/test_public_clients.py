"""The unmodified pusher-js, laravel-echo and pusher packages, in Node."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from blazz_contracts.events import AccessRevoked, ContactUpdated, SocketTriggered
from blazz_notifier.signature import sign_subscription

from tests.support.pusher_js import PusherJs, pusher_js


@pytest_asyncio.fixture(loop_scope="session")
async def node() -> AsyncIterator[PusherJs]:
    async with pusher_js() as driver:
        yield driver


@pytest_asyncio.fixture(loop_scope="session")
async def auth_url() -> AsyncIterator[str]:
    """An auth endpoint as the gateway has one, for the forms that pusher-js posts. The user is named by a header."""

    async def authorize(request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        socket_id, channel = form["socket_id"][0], form["channel_name"][0]
        if "forbidden" in channel:
            return web.Response(status=403)
        data = None
        if channel.startswith("presence-"):
            user = request.headers["X-User"]
            data = json.dumps({"user_id": user, "user_info": {"name": f"Agent {user}"}})
        answer = {"auth": sign_subscription("app-key", "app-secret", socket_id, channel, data)}
        if data is not None:
            answer["channel_data"] = data
        return web.json_response(answer)

    application = web.Application()
    application.router.add_post("/broadcasting/auth", authorize)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/broadcasting/auth"
    await runner.cleanup()


def options(instance: Any, auth_url: str, user: str = "1", port: int | None = None) -> dict[str, Any]:
    """What an application configures."""
    return {
        "wsHost": "127.0.0.1",
        "wsPort": port or instance.ws_port,
        "forceTLS": False,
        "enabledTransports": ["ws"],
        "disableStats": True,
        "authEndpoint": auth_url,
        "auth": {"headers": {"X-User": user}},
        "channelAuthorization": {"endpoint": auth_url, "transport": "ajax", "headers": {"X-User": user}},
    }


async def open_client(
    node: PusherJs, name: str, instance: Any, auth_url: str, *, kind: str = "pusher", **more: Any
) -> str:
    await node.command("open", id=name, kind=kind, key="app-key", options=options(instance, auth_url, **more))
    return str((await node.wait(id=name, what="state", state="connected"))["socket_id"])


@pytest.fixture
def workspace() -> str:
    return str(uuid4())


async def test_pusher_js_subscribes_and_gets_events_but_not_its_own(notifier, node, auth_url, publisher, workspace):
    instance = await notifier()
    channel = f"private-workspace.{workspace}"
    own = await open_client(node, "a", instance, auth_url)
    await node.command("subscribe", id="a", channel=channel)
    await node.wait(id="a", event="pusher:subscription_succeeded", channel=channel)
    for number, socket_id in enumerate((own, None)):
        await publisher.publish(
            SocketTriggered(
                workspace_id=workspace,
                channels=[channel],
                event="count",
                data=json.dumps({"n": number}),
                except_socket_id=socket_id,
            )
        )
    await node.wait(id="a", event="count")
    assert [each["data"] for each in node.all(id="a", event="count")] == [{"n": 1}]


async def test_pusher_js_is_told_when_it_may_not_subscribe(notifier, node, auth_url):
    instance = await notifier()
    await open_client(node, "a", instance, auth_url)
    await node.command("subscribe", id="a", channel="private-forbidden")
    await node.wait(id="a", event="pusher:subscription_error", channel="private-forbidden")
    await node.command("subscribe", id="a", channel="private-encrypted-x")
    await node.wait(id="a", event="pusher:subscription_error", channel="private-encrypted-x")


async def test_pusher_js_with_an_unknown_key_is_refused_for_good(notifier, node, auth_url):
    instance = await notifier()
    await node.command("open", id="a", kind="pusher", key="wrong", options=options(instance, auth_url))
    await node.wait(id="a", what="error", code=4001)
    await node.wait(id="a", what="state", state="disconnected")


async def test_pusher_js_client_events_cross_instances(notifier, node, auth_url, workspace):
    first, second = await notifier(), await notifier()
    channel = f"private-workspace.{workspace}"
    for name, instance in (("a", first), ("b", second)):
        await open_client(node, name, instance, auth_url)
        await node.command("subscribe", id=name, channel=channel)
        await node.wait(id=name, event="pusher:subscription_succeeded", channel=channel)
    await node.command("trigger", id="a", channel=channel, event="client-typing", data={"contact": 7})
    told = await node.wait(id="b", event="client-typing")
    assert told["data"] == {"contact": 7}
    assert not node.all(id="a", event="client-typing")


async def test_pusher_js_presence_over_two_instances(notifier, node, auth_url, workspace):
    first, second = await notifier(), await notifier()
    channel = f"presence-workspace.{workspace}"
    await open_client(node, "a", first, auth_url, user="1")
    await node.command("subscribe", id="a", channel=channel)
    here = (await node.wait(id="a", event="pusher:subscription_succeeded"))["data"]
    assert here == {"count": 1, "me": {"id": "1", "info": {"name": "Agent 1"}}, "members": {"1": {"name": "Agent 1"}}}
    await open_client(node, "b", second, auth_url, user="2")
    await node.command("subscribe", id="b", channel=channel)
    assert (await node.wait(id="b", event="pusher:subscription_succeeded"))["data"]["count"] == 2
    assert (await node.wait(id="a", event="pusher:member_added"))["data"] == {"id": "2", "info": {"name": "Agent 2"}}
    await node.command("close", id="b")
    assert (await node.wait(id="a", event="pusher:member_removed"))["data"]["id"] == "2"


async def test_echo_listens_whispers_and_sees_who_is_here(notifier, node, auth_url, publisher, workspace):
    first, second = await notifier(), await notifier()
    for name, instance, user in (("a", first, "1"), ("b", second, "2")):
        await open_client(node, name, instance, auth_url, kind="echo", user=user)
        await node.command(
            "listen", id=name, channel=f"workspace.{workspace}", presence=False, events=[".contact.updated"]
        )
        await node.wait(id=name, event="subscribed")
        await node.command("listen", id=name, channel=f"workspace.{workspace}.room", presence=True, events=[])
        await node.wait(id=name, event="here")
    assert (await node.wait(id="b", event="here"))["data"] == [{"name": "Agent 1"}, {"name": "Agent 2"}]
    assert (await node.wait(id="a", event="joining"))["data"] == {"name": "Agent 2"}
    await node.command("whisper", id="a", channel=f"workspace.{workspace}", presence=False, data={"name": "Ana"})
    assert (await node.wait(id="b", event="whisper"))["data"] == {"name": "Ana"}
    contact = uuid4()
    await publisher.publish(ContactUpdated(workspace_id=workspace, contact_id=contact, created=True))
    for name in ("a", "b"):
        told = await node.wait(id=name, event=".contact.updated")
        assert told["data"]["contact"]["uuid"] == str(contact)
    await node.command("close", id="b")
    assert (await node.wait(id="a", event="leaving"))["data"] == {"name": "Agent 2"}


async def test_clients_go_to_another_instance_at_once_when_theirs_stops(
    notifier, node, auth_url, publisher, workspace, front
):
    first, second = await notifier(), await notifier()
    channel = f"private-workspace.{workspace}"
    front.aim(f"ws://127.0.0.1:{first.ws_port}")
    await open_client(node, "a", first, auth_url, port=front.port)
    await node.command("subscribe", id="a", channel=channel)
    await node.wait(id="a", event="pusher:subscription_succeeded")
    front.aim(f"ws://127.0.0.1:{second.ws_port}")
    await first.stop()
    await node.wait(id="a", event="pusher:subscription_succeeded", count=2, within=3)
    await publisher.publish(SocketTriggered(workspace_id=workspace, channels=[channel], event="again", data="{}"))
    await node.wait(id="a", event="again")


async def test_clients_whose_access_is_revoked_do_not_come_back(notifier, node, auth_url, publisher, workspace):
    instance = await notifier()
    socket_id = await open_client(node, "a", instance, auth_url)
    await node.command("subscribe", id="a", channel=f"private-workspace.{workspace}")
    await node.wait(id="a", event="pusher:subscription_succeeded")
    await publisher.publish(AccessRevoked(workspace_id=workspace, socket_ids=[socket_id], reason="logged out"))
    await node.wait(id="a", what="error", code=4009)
    await node.wait(id="a", what="state", state="disconnected")


async def test_pushers_own_server_library_triggers_and_asks(notifier, node, auth_url, workspace):
    instance = await notifier()
    channel = f"private-workspace.{workspace}"
    await open_client(node, "a", instance, auth_url)
    await node.command("subscribe", id="a", channel=channel)
    await node.wait(id="a", event="pusher:subscription_succeeded")
    server = {
        "appId": "app-id",
        "key": "app-key",
        "secret": "app-secret",
        "useTLS": False,
        "host": "127.0.0.1",
        "port": str(instance.service.port),
    }

    async def call(name: str, *args: Any, **changed: Any) -> dict[str, Any]:
        number = str(uuid4())
        await node.command("server", id=number, options=server | changed, call=name, args=args)
        return await node.wait(id=number, what="answer")

    assert (await call("trigger", channel, "hello", {"text": "ü €"}))["status"] == 200
    assert (await node.wait(id="a", event="hello"))["data"] == {"text": "ü €"}
    batch = [{"channel": channel, "name": "one", "data": "1"}, {"channel": channel, "name": "two", "data": "2"}]
    assert (await call("triggerBatch", batch))["status"] == 200
    await node.wait(id="a", event="two")
    answer = await call("get", {"path": f"/channels/{channel}", "params": {"info": "subscription_count"}})
    assert answer["body"] == {"occupied": True, "subscription_count": 1}
    assert (await call("trigger", channel, "hello", {}, secret="wrong"))["status"] == 401
