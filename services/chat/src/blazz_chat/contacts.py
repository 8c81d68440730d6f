"""Contacts made by hand."""

from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.errors import Invalid
from blazz_chassis.outbox import Outbox
from blazz_contracts.events import ContactUpdated
from blazz_contracts.views.contact import ContactView, CreateContact

from blazz_chat import feed, people, reading
from blazz_chat.people import Address

_NAME = "update contacts set name = $3 where workspace_id = $1 and id = $2 and name is distinct from $3"


class Contacts:
    """Creates contacts."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self.database = database
        self._outbox = outbox

    async def create(self, workspace_id: UUID, asked: CreateContact) -> tuple[ContactView, bool]:
        """The contact at this address, and whether it is new. Raises `Invalid` when no address is given."""
        if asked.phone is None and asked.user_id is None:
            raise Invalid("give a phone number or a user id", field="phone")
        address = Address(workspace_id, people.digits(asked.phone) if asked.phone else None, asked.user_id)
        async with self.database.api(workspace_id) as connection:
            person = (await people.at(connection, [address]))[0]
            if person is None:
                raise Invalid("this address cannot be kept", field="phone")
            if asked.name is not None:
                await connection.execute(_NAME, workspace_id, person.id, asked.name)
            contact = await reading.contact(connection, workspace_id, person.id)
            told = ContactUpdated(
                workspace_id=workspace_id,
                contact_id=contact.id,
                created=person.created,
                display_name=contact.name,
                phone=contact.phone,
                user_id=contact.user_id,
                marketing_opt_out=contact.marketing_opt_out,
            )
            receipt = await self._outbox.add(connection, [told])
            await feed.append(
                connection,
                [feed.Change(workspace_id, "contact", contact.id, contact.model_dump(mode="json"))],
            )
        await self._outbox.send(receipt)
        return contact, person.created
