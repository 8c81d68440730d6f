"""The simulator and a webhook receiver, both on free ports of this machine."""

import hashlib
import hmac
import io
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from blazz_simulator.app import build
from blazz_simulator.settings import Settings

SECRET = "sim-app-secret"


@dataclass
class Post:
    """One webhook as it came in."""

    body: dict[str, Any]
    signed: bool
    at: float
    size: int

    @property
    def values(self) -> list[dict[str, Any]]:
        return [change["value"] for entry in self.body["entry"] for change in entry["changes"]]


@dataclass
class Receiver:
    """A business's webhook endpoint. `answers` are the next HTTP statuses, then 200 for ever."""

    url: str = ""
    secret: str = SECRET
    verify_token: str = "sim-verify-token"
    answers: list[int] = field(default_factory=list)
    refuse: Callable[[dict[str, Any]], bool] = lambda _: False
    tries: list[Post] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            good = request.query.get("hub.verify_token") == self.verify_token
            return web.Response(text=request.query["hub.challenge"], status=200 if good else 403)
        raw = await request.read()
        expected = "sha256=" + hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest()
        post = Post(
            orjson.loads(raw), request.headers.get("X-Hub-Signature-256") == expected, time.monotonic(), len(raw)
        )
        self.tries.append(post)
        status = self.answers.pop(0) if self.answers else 500 if self.refuse(post.body) else 200
        if status == 200:
            self.posts.append(post)
        return web.Response(status=status)

    def statuses(self, wamid: str | None = None) -> list[dict[str, Any]]:
        found = [s for post in self.posts for value in post.values for s in value.get("statuses", [])]
        return [s for s in found if wamid is None or s["id"] == wamid]

    def messages(self) -> list[dict[str, Any]]:
        return [m for post in self.posts for value in post.values for m in value.get("messages", [])]

    def values(self, fieldname: str) -> list[dict[str, Any]]:
        return [
            change["value"]
            for post in self.posts
            for entry in post.body["entry"]
            for change in entry["changes"]
            if change["field"] == fieldname
        ]


class Simulator:
    """The simulator as its users see it: over HTTP."""

    number = "100000000000001"
    waba = "200000000000001"
    token = "sim-access-token"
    customer = "4915112345678"

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def graph(self, method: str, path: str, token: str | None = None, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        async with self.http.request(method, f"{self.url}/v23.0/{path}", headers=headers, **more) as answer:
            return answer.status, await answer.json()

    async def control(self, method: str, path: str, json: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, f"{self.url}/_sim/{path}", json=json) as answer:
            return answer.status, await answer.json()

    async def post(self, data: dict[str, Any], number: str | None = None, **more: Any) -> tuple[int, Any]:
        message = {"messaging_product": "whatsapp", **data}
        return await self.graph("POST", f"{number or self.number}/messages", json=message, **more)

    async def text(self, body: str = "hello", to: str | None = None, **more: Any) -> str:
        status, answer = await self.post({"to": to or self.customer, "type": "text", "text": {"body": body}, **more})
        assert status == 200, answer
        return str(answer["messages"][0]["id"])

    async def ledger(self, after: int = 0) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = (await self.control("GET", f"ledger?after={after}"))[1]["entries"]
        return entries

    async def waiting(self, kind: str = "pending") -> int:
        return int((await self.control("GET", "webhooks"))[1][kind])

    async def upload(self, data: bytes, mime_type: str, filename: str = "file") -> tuple[int, Any]:
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime_type})
        form.add_field("file", io.BytesIO(data), filename=filename, content_type=mime_type)
        return await self.graph("POST", f"{self.number}/media", data=form)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(json_serialize=lambda data: orjson.dumps(data).decode()) as session:
        yield session


@pytest.fixture
async def make_receiver() -> AsyncIterator[Callable[..., Any]]:
    runners = []

    async def make(**more: Any) -> Receiver:
        receiver = Receiver(**more)
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/hook", receiver.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return receiver

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def receiver(make_receiver: Callable[..., Any]) -> Receiver:
    made: Receiver = await make_receiver()
    return made


@pytest.fixture
async def make_simulator(http: aiohttp.ClientSession, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    runners = []

    async def make(**settings: Any) -> Simulator:
        fast = {"webhook_backoff_first": 0.05, "webhook_backoff_cap": 0.1, "template_review_seconds": 0}
        app = build(Settings(**{"data": tmp_path, **fast, **settings}))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        simulator = Simulator(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
        await simulator.control("PUT", "statuses", {"delays": {"sent": 0.01, "delivered": 0.02, "read": 0.03}})
        return simulator

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def simulator(make_simulator: Callable[..., Any], receiver: Receiver) -> Simulator:
    """A simulator whose default account's webhooks go to `receiver`; statuses come within 50 ms."""
    made: Simulator = await make_simulator(callback_url=receiver.url)
    return made
