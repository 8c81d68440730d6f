"""Whatever comes in: a problem that names what is wrong, never a crash, never a word about our insides."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.conftest import World, signed

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}
MEBIBYTE = 1024 * 1024


async def raw(world: World, data: bytes) -> bytes:
    """Send bytes as they are, and read until the server closes or says enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    writer.write(data)
    await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read(65536)
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("PUT", "/api/v1/messages"),
        ("GET", "/chat/send"),
        ("GET", "/api/v1/contacts/not-a-uuid"),
        ("DELETE", "/api/v1/contacts"),
        ("GET", "/internal/messages/x"),
        ("GET", "/api/v1/contacts/..%2f..%2fx"),
    ],
)
async def test_an_address_that_is_none_is_a_problem(world: World, method: str, path: str) -> None:
    answer = await world.http.request(method, path)
    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == answer.status_code
    if answer.status_code == 405:
        assert answer.headers["allow"]


async def test_no_path_leads_to_another_internal_route(world: World) -> None:
    tenant = await world.tenant()
    for path in ("/api/v1/contacts/..%2Fchannels", "/api/v1/contacts/%2e%2e", f"/api/v1/contacts/{uuid4()}%2f..%2f.."):
        answer = await world.http.get(path, headers=tenant.headers)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/api/v1/messages", 1_000_000), ("/webhooks/whatsapp/x", 3 * MEBIBYTE), ("/api/v1/campaigns", 25 * MEBIBYTE),
     ("/api/v1/media", 100 * MEBIBYTE), ("/api/v1/auth/login", 1_000_000)],
)  # fmt: skip
async def test_a_body_over_its_limit_is_413_by_its_length_alone(world: World, path: str, limit: int) -> None:
    tenant = await world.tenant()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tenant.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {limit + 1}\r\n\r\n"
    )
    answer = await raw(world, head.encode())
    assert answer.startswith(b"HTTP/1.1 413"), answer[:100]
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(("path", "limit"), [("/webhooks/whatsapp/x", 3 * MEBIBYTE), ("/api/v1/messages", 1_000_000)])
async def test_a_body_that_does_not_say_its_length_is_cut_off_too(world: World, path: str, limit: int) -> None:
    tenant = await world.tenant()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tenant.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    # One byte too many, and no end.
    body = b"%x\r\n" % (limit + 1) + b"x" * (limit + 1) + b"\r\n"
    answer = await raw(world, head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 413"), answer[:100]
    assert b"application/problem+json" in answer


async def test_a_webhook_of_three_megabytes_is_taken(world: World) -> None:
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    body = b'{"x":"' + b"a" * (3 * MEBIBYTE - 8) + b'"}'
    assert len(body) == 3 * MEBIBYTE
    assert (await world.webhook(number, body)).status_code == 200


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "SHA256=x", "sha256=é", "x" * 5000],
)
async def test_a_wrong_signature_is_refused_and_nothing_is_stored(world: World, signature: str) -> None:
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    path = f"/webhooks/whatsapp/{number.identifier}"
    for content in (b"{}", b"not json"):
        header = {"X-Hub-Signature-256": signature.encode("latin-1")}
        answer = await world.http.post(path, content=content, headers=header)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (403, "signature_wrong")
    assert (await world.http.post(path, content=b"{}")).status_code == 403
    good = signed(b"{}", number.app_secret)
    changed = await world.http.post(path, content=b"{ }", headers={"X-Hub-Signature-256": good})
    assert changed.status_code == 403
    assert (await world.webhook(number, {"marker": 1})).status_code == 200
    (only,) = await world.until_told("provider.unrecognized", workspace_id=tenant.workspace_id)
    assert only["value"] == {"marker": 1}


@pytest.mark.parametrize("identifier", ["x", "%00", "a" * 300, "..", "%F0%9F%91%8B", "' or 1=1 --"])
async def test_an_unknown_webhook_is_404(world: World, identifier: str) -> None:
    answer = await world.http.post(f"/webhooks/whatsapp/{identifier}", content=b"{}")
    assert answer.status_code in (404, 405)


async def test_malformed_json_with_a_good_signature_is_400(world: World) -> None:
    number = await world.number((await world.tenant()).workspace_id)
    answer = await world.webhook(number, b"{not json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "header", ["X-Request-Id", "Idempotency-Key", "X-Socket-ID", "X-Workspace-Id", "Prefer", "traceparent"]
)
async def test_no_header_reaches_into_an_answer_or_a_log_line(world: World, header: str) -> None:
    tenant = await world.tenant()
    for value in ("a\x0bb", "{}" * 200, "\x7f", "x; Set-Cookie: a=b", '"><script>', "wait=99999999999999999999"):
        body = b'{"to":{"phone":"+31612345678"},"type":"text","text":{"body":"a"}}'
        head = (
            f"POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {tenant.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{header}: {value}\r\n\r\n"
        )
        answer = await raw(world, head.encode("latin-1") + body)
        assert answer[:12] in (b"HTTP/1.1 202", b"HTTP/1.1 400", b"HTTP/1.1 422"), answer[:300]
        assert b"set-cookie" not in answer.lower().partition(b"\r\n\r\n")[0]


async def test_secrets_are_not_told_back(world: World) -> None:
    password = "a very secret password"
    answer = await world.http.post(
        "/api/v1/auth/login", json={"email": "a@b.test", "password": password, "x": password}
    )
    assert answer.status_code == 422
    assert password not in answer.text
    tenant = await world.tenant()
    answer = await world.http.post(
        "/api/v1/invitations/accept",
        json={"token": password, "password": password * 100},
        headers=await world.bearer(tenant.email),
    )
    assert answer.status_code == 422
    assert password not in answer.text


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b"[]"),
        ("application/json", b"{"),
        ("", b"x"),
        ("application/x-www-form-urlencoded", b"%ff=%00&" * 60),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nb\r\n--x--',
        ),
        ("text/plain; charset=nonsense", b"\xff\xfe"),
        ("application/json", b'{"contact_uuid": "x", "message": ""}'),
        ("application/json", b'{"contact_uuid": "00000000-0000-0000-0000-000000000001", "message": "\\u0000"}'),
        ("application/json", b'{"contact_uuid": "00000000-0000-0000-0000-000000000001", "message": "\\ud800"}'),
    ],
)
async def test_a_broken_form_is_a_4xx(world: World, content_type: str, content: bytes) -> None:
    tenant = await world.tenant()
    for path in ("/chat/send", "/broadcasting/auth"):
        headers = {**tenant.headers, "content-type": content_type}
        answer = await world.http.post(path, content=content, headers=headers)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("interactive", {"type": "x", "action": {"a": "\x00"}}),
        ("template", {"name": "a", "language": "en", "components": [{"a": "\x00"}]}),
        ("contacts", [{"name": {"formatted_name": "\x00"}}]),
        ("location", {"latitude": 1e400, "longitude": 0}),
    ],
)
async def test_hidden_poison_is_refused_before_anything_is_stored(world: World, kind: str, content: Any) -> None:
    body = {"to": {"phone": "+31612345678"}, "type": kind, kind: content}
    tenant = await world.tenant()
    headers = {**tenant.headers, "content-type": "application/json"}
    answer = await world.http.post("/api/v1/messages", content=json.dumps(body), headers=headers)
    assert answer.status_code == 422, answer.text
    assert not await world.rows("select 1 from accepted where workspace_id = $1", tenant.workspace_id)


@pytest.mark.parametrize(
    ("path", "field", "rest"),
    [
        ("/api/v1/auth/login", "password", {"email": "a@b.test"}),
        ("/api/v1/auth/login", "email", {"password": "x"}),
        ("/api/v1/auth/refresh", "refresh_token", {}),
    ],
)
@pytest.mark.parametrize("value", ["a\x00b", "a\ud800b"])
async def test_credentials_that_are_no_text_are_refused_by_name(
    world: World, path: str, field: str, rest: dict[str, str], value: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = await world.http.post(path, content=json.dumps({**rest, field: value}), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_token_that_would_be_expired_already_is_refused(world: World) -> None:
    tenant = await world.tenant()
    asked = {"name": "late", "expires_at": "2020-01-01T00:00:00Z"}
    answer = await world.http.post("/api/v1/tokens", json=asked, headers=await world.bearer(tenant.email))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "expires_at")


async def test_bottomless_json_is_a_4xx(world: World) -> None:
    tenant = await world.tenant()
    deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    body = b'{"to":{"phone":"+31612345678"},"type":"interactive","interactive":{"type":"x","action":%s}}' % deep
    headers = {**tenant.headers, "content-type": "application/json"}
    answer = await world.http.post("/api/v1/messages", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    shallow = body.replace(deep, b'{"a":' * 200 + b"1" + b"}" * 200)
    answer = await world.http.post("/api/v1/messages", content=shallow, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (422, "is nested too deep")


async def test_the_documents_page_loads_nothing_from_elsewhere(world: World) -> None:
    for path in ("/docs", "/redoc"):
        answer = await world.http.get(path)
        assert answer.status_code == 404 or "https://" not in answer.text


async def test_a_number_that_is_too_large_is_the_senders_own_affair(world: World) -> None:
    tenant = await world.tenant()
    large = b'{"to":{"phone":"+31612345678"},"type":"interactive","interactive":{"a":' + b"9" * 400 + b"}}"
    headers = {**tenant.headers, "content-type": "application/json"}
    answer = await world.http.post("/api/v1/messages", content=large, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "interactive.a")
    assert not await world.rows("select 1 from accepted where workspace_id = $1", tenant.workspace_id)
