"""`message.requested` for each recipient, written as bytes: the same as the contract's model makes, at a tenth of it.

A test holds the two against each other.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.outgoing import SCHEMA_VERSION, WORKSPACE_ID, Header, Outgoing
from blazz_contracts.events import MessageRequested
from blazz_contracts.message import Lane
from blazz_contracts.topology import COMMANDS

from blazz_campaign.wording import Wording

_KEY = f"{MessageRequested.name}.{Lane.CAMPAIGN}"


class Requests:
    """Makes the requests of one campaign."""

    def __init__(
        self, *, campaign_id: UUID, workspace_id: UUID, channel_id: UUID, content: Mapping[str, Any], app_id: str
    ) -> None:
        self._wording = Wording(content)
        self._app_id = app_id
        self._correlation_id = str(campaign_id)
        self._headers: dict[str, Header] = {
            SCHEMA_VERSION: MessageRequested.version,
            WORKSPACE_ID: str(workspace_id),
        }
        self._head = f'{{"workspace_id":"{workspace_id}","channel_id":"{channel_id}","lane":"{Lane.CAMPAIGN}",'
        self._origin = f'"origin":{{"kind":"campaign","id":"{campaign_id}"}}'

    def of(self, recipient: Any, at: datetime) -> Outgoing:
        """The request for one recipient (`message_id`, `phone`, `variables`); the same id whenever it is made."""
        message_id = str(recipient["message_id"])
        body = (
            f'{self._head}"message_id":"{message_id}","to":{{"phone":{orjson.dumps(recipient["phone"]).decode()}}},'
            f'"content":{self._wording.json(recipient["variables"])},{self._origin},"requested_at":"{at.isoformat()}"}}'
        )
        return Outgoing(
            exchange=COMMANDS.name,
            routing_key=_KEY,
            mandatory=True,
            type=MessageRequested.name,
            body=body.encode(),
            message_id=message_id,
            correlation_id=self._correlation_id,
            app_id=self._app_id,
            headers=self._headers,
            timestamp=time.time(),
        )
