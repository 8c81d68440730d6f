"""What a message refers to, resolved before it is sent: uploads become provider's media, reactions find a target."""

from dataclasses import dataclass, replace
from uuid import UUID

from blazz_chassis.database import Database
from blazz_contracts.message import Failure

from blazz_chat import failures
from blazz_chat.channels import Channel
from blazz_chat.failures import Refusal, Remedy
from blazz_chat.media import Library, StoredFile
from blazz_chat.providers.protocol import Outgoing, Unreachable, WhatsAppProvider

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


@dataclass(frozen=True, slots=True)
class Enclosures:
    """Resolves what messages refer to."""

    database: Database
    library: Library

    async def prepare(
        self, channel: Channel, message: Outgoing, provider: WhatsAppProvider
    ) -> Outgoing | Refusal | Unreachable:
        """The message with all that it refers to; most messages refer to nothing and cost nothing."""
        content = message.content
        if content["type"] == "reaction":
            return await self._react(channel, message)
        if content.get("media_id") is None:
            return message
        return await self._upload(channel, message, UUID(content["media_id"]), provider)

    async def _react(self, channel: Channel, message: Outgoing) -> Outgoing | Refusal:
        async with self.database.worker() as connection:
            target = await connection.fetchval(_TARGET, UUID(message.content["message_id"]), channel.id)
        return replace(message, target=target) if target else Refusal(Remedy.FAIL, _NO_TARGET)

    async def _upload(
        self, channel: Channel, message: Outgoing, media_id: UUID, provider: WhatsAppProvider
    ) -> Outgoing | Refusal | Unreachable:
        async with self.database.worker() as connection:
            known = await connection.fetchval(_UPLOADED, media_id, channel.id)
            row = None if known else await connection.fetchrow(_MEDIA, media_id, channel.workspace_id)
        if known:
            return replace(message, provider_media_id=known)
        if row is None:
            return Refusal(Remedy.FAIL, failures.NO_MEDIA)
        file = StoredFile(self.library, channel.workspace_id, row["id"], row["mime_type"], row["filename"] or "file")
        uploaded = await provider.upload(channel, file)
        if not isinstance(uploaded, str):
            return uploaded
        async with self.database.worker() as connection:
            await connection.execute(_REMEMBER, media_id, channel.id, channel.workspace_id, uploaded)
        return replace(message, provider_media_id=uploaded)
