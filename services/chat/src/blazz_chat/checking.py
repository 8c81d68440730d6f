"""May this be sent? What the gateway asks before it accepts a request, so that a refusal comes at once."""

from datetime import UTC, datetime
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Conflict, Invalid, NotFound
from blazz_contracts.content import Template
from blazz_contracts.message import Failure
from blazz_contracts.views.message import CheckedMessage, CheckMessage

from blazz_chat import failures, people, templates, web, window
from blazz_chat.people import Address, Person
from blazz_chat.templates import Key, Templates

_CHANNEL = """
select id, provider, state, state_reason from channels where workspace_id = $1 and id = $2 and deleted_at is null
"""
_CHANNEL_OF = """
select c.id, c.provider, c.state, c.state_reason
from channels c left join conversations v on v.channel_id = c.id and v.contact_id = $2
where c.workspace_id = $1 and c.deleted_at is null
order by v.last_message_at desc nulls last, c.state, c.created_at, c.id limit 1
"""
_LAST_INBOUND = """
select last_inbound_at from conversations where workspace_id = $1 and channel_id = $2 and contact_id = $3
"""
_MESSAGE = "select 1 from messages where workspace_id = $1 and id = $2"
_MEDIA = "select 1 from media where workspace_id = $1 and id = $2 and state = 'ready'"


async def check(connection: Connection, workspace_id: UUID, asked: CheckMessage, known: Templates) -> CheckedMessage:
    """Return where it would go.

    Raises `NotFound`, `Conflict` (channel stopped) or `Invalid` (window, media; on WhatsApp Web: type, template).
    """
    person = await _person(connection, workspace_id, asked)
    if asked.channel_id is not None:
        channel = await connection.fetchrow(_CHANNEL, workspace_id, asked.channel_id)
    else:
        channel = await connection.fetchrow(_CHANNEL_OF, workspace_id, person.id if person else None)
    if channel is None:
        raise NotFound(failures.NO_CHANNEL.title, code="channel_not_found", field="channel_id")
    if channel["state"] == "stopped":
        raise Conflict(
            f"the channel is stopped: {channel['state_reason'] or 'start it again first'}",
            code="channel_stopped",
            field="channel_id",
        )
    await _refer(connection, workspace_id, asked)
    if channel["provider"] == web.PROVIDER:
        _check_web(asked, person)
        if isinstance(asked.content, Template):
            await _check_template(connection, workspace_id, asked.content, known)
    elif person is not None and not isinstance(asked.content, Template):
        last = await connection.fetchval(_LAST_INBOUND, workspace_id, channel["id"], person.id)
        if window.is_closed(last, datetime.now(UTC)):
            raise Invalid(failures.WINDOW_CLOSED.title, code="window_closed", field="type")
    return CheckedMessage(channel_id=channel["id"], contact_id=person.id if person else None)


def _check_web(asked: CheckMessage, person: Person | None) -> None:
    refused, field = web.unsendable(asked.content.type), "type"
    if refused is None:
        # Somebody new is only what the request calls them.
        refused, field = web.unreachable(person or Person.named(asked.to.phone, asked.to.user_id)), "to"
    if refused is not None:
        raise Invalid(refused.title, code=refused.code, field=field)


async def _check_template(connection: Connection, workspace_id: UUID, content: Template, known: Templates) -> None:
    key = Key(workspace_id, None, content.name, content.language)
    said = templates.written((await known.get(connection, [key]))[key], content)
    if isinstance(said, Failure):
        raise Invalid(said.title, code=said.code, field="template")
    await _has_media(connection, workspace_id, said.get("media_id"), "template.components")


async def _person(connection: Connection, workspace_id: UUID, asked: CheckMessage) -> Person | None:
    if asked.to.contact_id is not None:
        found = await people.by_id(connection, [(workspace_id, asked.to.contact_id)])
        if not found:
            raise NotFound(failures.NO_CONTACT.title, code="contact_not_found", field="to.contact_id")
        return found[workspace_id, asked.to.contact_id]
    phone = people.digits(asked.to.phone) if asked.to.phone else None
    return (await people.at(connection, [Address(workspace_id, phone, asked.to.user_id)], create=False))[0]


async def _refer(connection: Connection, workspace_id: UUID, asked: CheckMessage) -> None:
    """What the message refers to is there: the one it answers or reacts to, the upload it shows."""
    targets = {"reply_to": asked.reply_to, "reaction.message_id": None}
    if asked.content.type == "reaction":
        targets["reaction.message_id"] = asked.content.message_id
    for field, target in targets.items():
        if target is not None and await connection.fetchval(_MESSAGE, workspace_id, target) is None:
            raise NotFound("there is no such message in this workspace", code="message_not_found", field=field)
    await _has_media(
        connection, workspace_id, getattr(asked.content, "media_id", None), f"{asked.content.type}.media_id"
    )


async def _has_media(connection: Connection, workspace_id: UUID, media_id: UUID | None, field: str) -> None:
    if media_id is not None and await connection.fetchval(_MEDIA, workspace_id, media_id) is None:
        raise NotFound(failures.NO_MEDIA.title, code="media_not_found", field=field)
