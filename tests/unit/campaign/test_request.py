"""The bytes that are written are the contract's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from blazz_campaign.request import Requests
from blazz_chassis import outgoing
from blazz_chassis.ids import uuid7
from blazz_contracts.content import CONTENT
from blazz_contracts.events import MessageRequested
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient

AT = datetime(2026, 11, 22, 5, 0, 1, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "filled"),
    [
        (
            {"type": "text", "body": 'Hi {{name}} "x"', "preview_url": True},
            {"type": "text", "body": 'Hi Zoë \\ "x"', "preview_url": True},
        ),
        (
            {
                "type": "template",
                "name": "offer",
                "language": "en_US",
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{name}}"}]}],
            },
            {
                "type": "template",
                "name": "offer",
                "language": "en_US",
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "Zoë \\"}]}],
            },
        ),
    ],
)
def test_a_request_is_the_one_that_the_contract_makes(content: dict[str, Any], filled: dict[str, Any]) -> None:
    campaign_id, workspace_id, channel_id, message_id = uuid7(), uuid7(), uuid7(), uuid7()
    requests = Requests(
        campaign_id=campaign_id, workspace_id=workspace_id, channel_id=channel_id, content=content, app_id="campaign"
    )
    event = MessageRequested(
        workspace_id=workspace_id,
        message_id=message_id,
        channel_id=channel_id,
        to=Recipient(phone="4915112345678"),
        content=CONTENT.validate_python(filled),
        lane=Lane.CAMPAIGN,
        origin=Origin(kind=OriginKind.CAMPAIGN, id=campaign_id),
        requested_at=AT,
    )
    recipient = {"message_id": message_id, "phone": "4915112345678", "variables": {"name": "Zoë \\"}}

    made, expected = requests.of(recipient, AT), outgoing.of(event, app_id="campaign", message_id=message_id)

    assert MessageRequested.model_validate_json(made.body) == event
    for field in ("exchange", "routing_key", "mandatory", "type", "message_id", "app_id", "headers"):
        assert getattr(made, field) == getattr(expected, field)
    assert requests.of(recipient, AT).body == made.body
