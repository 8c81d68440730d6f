"""What a message refers to, resolved before it is sent: uploads become provider's media, reactions find a target."""

import asyncio
import time
import weakref
from dataclasses import replace
from uuid import UUID

import structlog
from blazz_chassis.database import Database
from blazz_chassis.errors import NotFound, Unavailable
from blazz_contracts.message import Failure

from blazz_chat import failures
from blazz_chat.channels import Channel
from blazz_chat.failures import Refusal, Remedy
from blazz_chat.media import Library, StoredFile
from blazz_chat.providers.protocol import Outgoing, Unreachable, WhatsAppProvider

log = structlog.get_logger(__name__)

_TARGET = "select provider_message_id from messages where id = $1 and channel_id = $2"
_UPLOADED = """
select provider_media_id from media_uploads
where media_id = $1 and channel_id = $2 and expires_at > now() + interval '1 hour'
"""
_MEDIA = "select id, mime_type, filename from media where id = $1 and workspace_id = $2 and state = 'ready'"
_REMEMBER = """
insert into media_uploads (media_id, channel_id, workspace_id, provider_media_id, expires_at)
values ($1, $2, $3, $4, now() + interval '29 days')
on conflict (media_id, channel_id) do update
set provider_media_id = excluded.provider_media_id, expires_at = excluded.expires_at
"""
_NO_TARGET = Failure(
    code="target_not_found", title="The message to react to is not in this conversation, or was never sent."
)


# How long an uploaded file's id is believed without asking the database: a campaign asks once, not for each recipient.
_BELIEVED = 60.0
_MOST_BELIEVED = 1000
# Files that one number hands over at once: they keep a line busy; a hundred of 100 MB at once would all be too slow.
_AT_ONCE = 4

_Uploaded = str | Refusal | Unreachable


class Enclosures:
    """Resolves what messages refer to."""

    def __init__(self, database: Database, library: Library, *, patience: float) -> None:
        """`patience` in seconds: how long a claimed message waits for its file, which goes on without it."""
        self._patience = patience
        self.database = database
        self.library = library
        self._known: dict[tuple[UUID, UUID], tuple[float, str]] = {}
        self._under_way: dict[tuple[UUID, UUID], asyncio.Task[_Uploaded]] = {}
        self._turns: weakref.WeakValueDictionary[UUID, asyncio.Semaphore] = weakref.WeakValueDictionary()

    async def prepare(
        self, channel: Channel, message: Outgoing, provider: WhatsAppProvider
    ) -> Outgoing | Refusal | Unreachable:
        """The message with all that it refers to; most messages refer to nothing and cost nothing."""
        content = message.content
        if content["type"] == "reaction":
            return await self._react(channel, message)
        if content.get("media_id") is None or not provider.uploads:
            return message
        return await self._upload(channel, message, UUID(content["media_id"]), provider)

    async def _react(self, channel: Channel, message: Outgoing) -> Outgoing | Refusal:
        async with self.database.worker() as connection:
            target = await connection.fetchval(_TARGET, UUID(message.content["message_id"]), channel.id)
        return replace(message, target=target) if target else Refusal(Remedy.FAIL, _NO_TARGET)

    async def _upload(
        self, channel: Channel, message: Outgoing, media_id: UUID, provider: WhatsAppProvider
    ) -> Outgoing | Refusal | Unreachable:
        """A file that many messages show is uploaded once, however many wait for it.

        Raises `Unavailable` when it takes longer than a claim is good for: the message is given back, and when it is
        claimed again it finds the file there, or on its way.
        """
        key = (media_id, channel.id)
        until, known = self._known.get(key, (0.0, ""))
        if until > time.monotonic():
            return replace(message, provider_media_id=known)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._hand_over(channel, media_id, provider))
            task.add_done_callback(lambda done: self._arrived(key, done))
        try:
            async with asyncio.timeout(self._patience):
                uploaded = await asyncio.shield(task)
        except TimeoutError as error:
            raise Unavailable("the file is on its way to WhatsApp", code="file_on_its_way") from error
        return replace(message, provider_media_id=uploaded) if isinstance(uploaded, str) else uploaded

    def _arrived(self, key: tuple[UUID, UUID], task: "asyncio.Task[_Uploaded]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            log.info("file_not_handed_over", media_id=str(key[0]), error=repr(task.exception()))

    async def _hand_over(self, channel: Channel, media_id: UUID, provider: WhatsAppProvider) -> _Uploaded:
        async with self.database.worker() as connection:
            known: str | None = await connection.fetchval(_UPLOADED, media_id, channel.id)
            row = None if known else await connection.fetchrow(_MEDIA, media_id, channel.workspace_id)
        if known is None:
            if row is None:
                return Refusal(Remedy.FAIL, failures.NO_MEDIA)
            file = StoredFile(
                self.library, channel.workspace_id, row["id"], row["mime_type"], row["filename"] or "file"
            )
            turn = self._turns.setdefault(channel.id, asyncio.Semaphore(_AT_ONCE))
            try:
                async with turn:
                    uploaded = await provider.upload(channel, file)
            except NotFound:
                return Refusal(Remedy.FAIL, failures.NO_MEDIA)
            if not isinstance(uploaded, str):
                return uploaded
            known = uploaded
            async with self.database.worker() as connection:
                await connection.execute(_REMEMBER, media_id, channel.id, channel.workspace_id, known)
        if len(self._known) >= _MOST_BELIEVED:
            self._known.clear()
        self._known[media_id, channel.id] = (time.monotonic() + _BELIEVED, known)
        return known
