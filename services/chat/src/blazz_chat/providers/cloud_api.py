"""WhatsApp through Meta's Cloud API (Graph)."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
from blazz_chassis.http_client import never_left
from blazz_contracts.message import Failure

from blazz_chat.channels import Channel
from blazz_chat.failures import TOKEN_UNUSABLE, Refusal, Remedy, refusal
from blazz_chat.providers.protocol import Accepted, MediaSource, Outcome, Outgoing, Unknown, Unreachable

_MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
# What a header carries (RFC 9110), without spaces. A channel may have been connected before that was asked for.
_HEADER = re.compile(r"[\x21-\x7e]+")
_UNUSABLE = Refusal(Remedy.STOP_CHANNEL, TOKEN_UNUSABLE)


class CloudApi:
    """Meta's Cloud API."""

    uploads = True

    def __init__(self, client: httpx.AsyncClient, *, graph_url: str, version: str, timeout: float) -> None:
        """`timeout` in seconds bounds each call as a whole."""
        self._client = client
        self._base = f"{graph_url.rstrip('/')}/{version}"
        self._door = graph_url.rstrip("/")
        self._timeout = timeout

    async def send(self, channel: Channel, message: Outgoing) -> Outcome:
        """`POST /{phone_number_id}/messages`."""
        if not _HEADER.fullmatch(channel.access_token):
            return _UNUSABLE
        body = orjson.dumps(payload(message))
        headers = {"Authorization": f"Bearer {channel.access_token}", "Content-Type": "application/json"}
        url = f"{self._base}/{channel.phone_number_id}/messages"
        try:
            answer = await self._client.post(url, content=body, headers=headers, timeout=self._timeout)
        except httpx.HTTPError as error:
            reason = type(error.__cause__ or error).__name__
            return Unreachable(reason) if never_left(error) else Unknown(reason)
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Outcome:
        try:
            said = orjson.loads(answer.content)
        except ValueError:
            said = None
        if answer.status_code == httpx.codes.OK and isinstance(said, dict):
            try:
                wamid = said["messages"][0]["id"]
            except (KeyError, IndexError, TypeError):
                return Unknown("an answer without a message id")
            return Accepted(str(wamid), _wa_id_in(said))
        refused = _refusal_in(said)
        if refused is not None:
            return refused
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return refusal(130429, "Rate limit hit")
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            # A gateway before Graph answered in its place: what stands behind it may have taken the message.
            return Unknown(f"HTTP {answer.status_code}")
        return Refusal(
            Remedy.FAIL,
            Failure(code=f"http_{answer.status_code}", title=f"WhatsApp answered HTTP {answer.status_code}."),
        )

    async def upload(self, channel: Channel, media: MediaSource) -> str | Refusal | Unreachable:
        """`POST /{phone_number_id}/media`. Uploading twice is harmless: whatever went wrong may be tried again."""
        if not _HEADER.fullmatch(channel.access_token):
            return _UNUSABLE
        size, parts = await media.open()
        url = f"{self._base}/{channel.phone_number_id}/media"
        # httpx's form around an empty file: the file itself is put in between, a part at a time.
        form = httpx.Request(
            "POST",
            url,
            data={"messaging_product": "whatsapp", "type": media.mime_type},
            files={"file": (media.filename, b"", media.mime_type)},
        )
        boundary = form.headers["Content-Type"].partition("boundary=")[2]
        frame, end = form.read(), f"\r\n--{boundary}--\r\n".encode()
        try:
            answer = await self._client.post(
                url,
                headers={
                    "Authorization": f"Bearer {channel.access_token}",
                    "Content-Type": form.headers["Content-Type"],
                    "Content-Length": str(len(frame) + size),
                },
                content=_between(frame.removesuffix(end), parts, end),
                timeout=self._timeout * 4,
            )
        except httpx.HTTPError as error:
            reason = type(error.__cause__ or error).__name__
            return Unreachable(reason) if never_left(error) else _not_uploaded(Remedy.RETRY, reason)
        try:
            said = orjson.loads(answer.content)
        except ValueError:
            said = None
        if isinstance(said, dict) and isinstance(said.get("id"), str):
            return str(said["id"])
        passing = answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or answer.is_success
        return _refusal_in(said) or _not_uploaded(
            Remedy.RETRY if passing else Remedy.FAIL, f"HTTP {answer.status_code}"
        )

    async def reachable(self) -> bool:
        """Any HTTP answer will do."""
        try:
            await self._client.get(self._door, timeout=min(2.0, self._timeout))
        except httpx.HTTPError:
            return False
        return True


async def _between(start: bytes, parts: AsyncIterator[bytes], end: bytes) -> AsyncIterator[bytes]:
    yield start
    async for part in parts:
        yield part
    yield end


def _wa_id_in(said: dict[str, Any]) -> str | None:
    try:
        found = said["contacts"][0]["wa_id"]
    except (KeyError, IndexError, TypeError):
        return None
    return found if isinstance(found, str) and found.isascii() and found.isdigit() else None


def _not_uploaded(remedy: Remedy, reason: str) -> Refusal:
    """The file did not get through: this message's affair, not everybody's."""
    return Refusal(remedy, Failure(code="media_refused", title=f"WhatsApp did not take the file ({reason})."))


def _refusal_in(said: Any) -> Refusal | None:
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    return refusal(error["code"], str(error.get("message") or ""), details)


def payload(message: Outgoing) -> dict[str, Any]:
    """The Graph API's body of a message."""
    content = message.content
    kind = content["type"]
    body: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual", "type": kind}
    if message.phone is not None:
        body["to"] = message.phone
    else:
        body["recipient"] = message.user_id
    if message.reply_to is not None:
        body["context"] = {"message_id": message.reply_to}
    body[kind] = _object(message, kind, content)
    body["biz_opaque_callback_data"] = message.callback_data
    return body


def _object(message: Outgoing, kind: str, content: dict[str, Any]) -> Any:
    if kind == "text":
        return {"body": content["body"], "preview_url": content.get("preview_url", False)}
    if kind in _MEDIA:
        source = {"id": message.provider_media_id} if message.provider_media_id else {"link": content["link"]}
        return source | {key: content[key] for key in ("caption", "filename") if content.get(key) is not None}
    if kind == "reaction":
        return {"message_id": message.target, "emoji": content["emoji"]}
    if kind == "template":
        template: dict[str, Any] = {"name": content["name"], "language": {"code": content["language"]}}
        return template | ({"components": content["components"]} if content.get("components") else {})
    if kind in {"contacts", "interactive"}:
        return content[kind]
    return {key: value for key, value in content.items() if key != "type" and value is not None}
