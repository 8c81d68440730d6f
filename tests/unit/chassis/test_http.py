"""HTTP as every service answers it: problems that name the field, ids that go through, limits that hold."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

import httpx
import jwt
import pytest
from blazz_chassis import context
from blazz_chassis.app import Service
from blazz_chassis.context import InternalContext, WorkspaceContext
from blazz_chassis.errors import NotFound, TooMany, Unavailable
from blazz_chassis.settings import ServiceSettings
from blazz_chassis.web import BodyLimit
from fastapi import Body, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

KEY = "k" * 32


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int
    password: Annotated[str, Field(max_length=8)] = ""


@pytest.fixture
def service() -> Service:
    service = Service(
        "chassis",
        ServiceSettings(env="local", context_key=SecretStr(KEY), body_limit=1000),
        body_limits={"/big": 5000},
    )
    app = service.http_app

    @app.post("/orders")
    async def order(order: Order) -> dict[str, int]:
        return {"count": order.count}

    app.post("/big/order")(order)

    @app.post("/big/{name}")
    async def big(name: str, request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.post("/plain")
    async def plain(data: Annotated[dict[str, str], Body()]) -> dict[str, str]:
        return data

    @app.get("/missing")
    async def missing() -> None:
        raise NotFound("there is no such contact in this workspace", field="to.contact_id", code="contact_unknown")

    @app.get("/busy")
    async def busy() -> None:
        raise TooMany(retry_after=1.2)

    @app.get("/away")
    async def away() -> None:
        raise Unavailable

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret inside")

    @app.get("/correlation")
    async def correlation() -> dict[str, str | None]:
        return {"id": context.correlation_id.get(), "parent": context.traceparent.get()}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return StreamingResponse(parts())

    @app.get("/internal/who")
    async def who(asking: InternalContext) -> WorkspaceContext:
        return asking

    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.http_app), base_url="http://test") as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["title"]
    assert body["detail"]
    assert body["correlation_id"] == response.headers["x-request-id"]
    return body


async def test_a_problem_names_the_field(client: httpx.AsyncClient) -> None:
    body = problem(await client.get("/missing"), 404, "contact_unknown")
    assert body["errors"] == [{"field": "to.contact_id", "message": "there is no such contact in this workspace"}]


async def test_malformed_json_is_400(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    body = problem(await client.post("/orders", content=b'{"count": ', headers=headers), 400, "malformed_json")
    assert body["errors"] == [{"field": "body", "message": "is not valid JSON"}]


@pytest.mark.parametrize("content", [b'{"count": "\xff"}', b'{"count": ' + b"9" * 4900 + b"}"])
async def test_json_that_cannot_be_read_is_malformed_too(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/big/order", content=content, headers={"content-type": "application/json"})
    problem(answer, 400, "malformed_json")


async def test_json_without_its_content_type_is_refused_with_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", data={"count": "1"})
    body = problem(answer, 422, "invalid")
    errors = body["errors"]
    assert isinstance(errors, list)
    assert "Content-Type: application/json" in errors[0]["message"]


async def test_invalid_fields_are_422_each_named_and_their_values_not_told(client: httpx.AsyncClient) -> None:
    response = await client.post("/orders", json={"count": "many", "password": "hunter2-hunter2", "colour": "red"})
    body = problem(response, 422, "invalid")
    errors = body["errors"]
    assert isinstance(errors, list)
    assert {error["field"] for error in errors} == {"count", "password", "colour"}
    assert "hunter2" not in response.text


async def test_a_missing_body_is_422(client: httpx.AsyncClient) -> None:
    problem(await client.post("/orders"), 422, "invalid")


async def test_an_unknown_address_and_a_wrong_method_are_problems(client: httpx.AsyncClient) -> None:
    problem(await client.get("/nowhere"), 404, "not_found")
    problem(await client.delete("/orders"), 405, "method_not_allowed")


async def test_waiting_times_are_whole_seconds_rounded_up(client: httpx.AsyncClient) -> None:
    busy = await client.get("/busy")
    problem(busy, 429, "too_many_requests")
    assert busy.headers["retry-after"] == "2"
    away = await client.get("/away")
    problem(away, 503, "unavailable")
    assert away.headers["retry-after"] == "2"


async def test_a_crash_tells_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    response = await client.get("/crash")
    problem(response, 500, "internal")
    assert "secret" not in response.text


async def test_a_request_id_goes_through_and_a_bad_one_is_replaced(client: httpx.AsyncClient) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = await client.get("/correlation", headers={"x-request-id": "abc-1", "traceparent": parent})
    assert response.headers["x-request-id"] == "abc-1"
    assert response.json() == {"id": "abc-1", "parent": parent}
    response = await client.get(
        "/correlation", headers={"x-request-id": "a b\t" + "x" * 200, "traceparent": "nonsense"}
    )
    assert response.json() == {"id": response.headers["x-request-id"], "parent": None}
    assert len(response.headers["x-request-id"]) == 36


@pytest.mark.parametrize("given", ["é" * 128, "١٢٣", "abc\n"])
async def test_a_correlation_id_is_ascii_as_headers_of_messages_are_short(
    client: httpx.AsyncClient, given: str
) -> None:
    response = await client.get("/correlation", headers=[(b"x-request-id", given.encode())])
    assert len(response.headers["x-request-id"]) == 36


async def test_a_body_over_the_limit_is_413_with_and_without_its_length(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    problem(await client.post("/plain", content=b"x" * 1001), 413, "too_large")
    problem(await client.post("/plain", content=parts()), 413, "too_large")
    assert (await client.post("/big/one", content=b"x" * 5000)).json() == {"size": 5000}
    problem(await client.post("/big/one", content=b"x" * 5001), 413, "too_large")
    assert (await client.post("/orders", json={"count": 1})).json() == {"count": 1}


async def test_streams_pass_unharmed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/stream")).text == "ab"


async def test_internal_routes_take_a_context_signed_for_this_service(client: httpx.AsyncClient) -> None:
    asking = WorkspaceContext(workspace_id=uuid4(), actor_id=uuid4(), actor_kind="user", role="agent", scopes=("a",))

    async def ask(token: str) -> httpx.Response:
        return await client.get("/internal/who", headers={"authorization": f"Bearer {token}"})

    good = await ask(context.sign(asking, KEY, audience="chassis"))
    assert WorkspaceContext.model_validate(good.json()) == asking
    problem(await ask(context.sign(asking, KEY, audience="chat")), 401, "context_invalid")
    problem(await ask(context.sign(asking, "x" * 32, audience="chassis")), 401, "context_invalid")
    claims = {"aud": "chassis", "iat": 1, "exp": 2, "ctx": asking.model_dump(mode="json")}
    problem(await ask(jwt.encode(claims, KEY, "HS256")), 401, "context_invalid")
    problem(await ask(jwt.encode({**claims, "exp": 4e9}, None, "none")), 401, "context_invalid")
    problem(await client.get("/internal/who"), 401, "context_missing")


async def test_health_and_metrics_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).status_code == 200
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["service"] == "starting"
    await client.get("/big-unknown")
    metrics = (await client.get("/metrics")).text
    assert 'blazz_http_requests_total{method="GET",route="/livez",status="200"}' in metrics
    assert 'route="unmatched"' in metrics
    assert "process_resident_memory_bytes" in metrics


@pytest.mark.parametrize(
    "more", [{"env": "production"}, {"env": "production", "internal_port": 0}, {"internal_port": 0}]
)
async def test_the_public_port_tells_nobody_what_is_inside(more: dict[str, Any]) -> None:
    service = Service("chassis", ServiceSettings(**{"env": "local", **more}))
    transport = httpx.ASGITransport(service.http_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
        assert (await client.get("/metrics")).status_code == 404
        assert (await client.get("/livez")).status_code == 200


async def test_the_documents_are_the_same_each_time(service: Service) -> None:
    assert service.openapi() == service.openapi()
    assert "4XX" in service.openapi()["paths"]["/orders"]["post"]["responses"]
    assert service.asyncapi() == service.asyncapi()


async def test_a_body_that_trickles_in_is_cut_off_with_408() -> None:
    """One byte and then nothing: the connection is not held for it."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        if not sent and not begun:
            begun.append(True)
            return {"type": "http.request", "body": b"x", "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(message: Any) -> None:
        sent.append(message)

    begun: list[bool] = []
    limited = BodyLimit(app, default=1000, patience=0.05)
    await limited({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert sent[0]["status"] == 408
