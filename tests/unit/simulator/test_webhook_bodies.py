"""The bodies of webhooks, field by field as Meta writes them."""

import json
from typing import Any

import pytest
from blazz_simulator.accounts import Accounts
from blazz_simulator.message import Message
from blazz_simulator.phones.phone import Phone
from blazz_simulator.settings import Settings
from blazz_simulator.webhooks.payload import render, signature
from blazz_simulator.webhooks.update import AccountUpdate, MessageUpdate, StatusUpdate, Update

ACCOUNT = Accounts(Settings()).default
PHONE = Phone("972987654321", 10, True)
PHONE.name = "Test Name"


def _message(number: int = 1, **more: Any) -> Message:
    given = {"author": "business", "type_": "text", "body": {"body": "Body Text"}, **more}
    return Message(wamid=f"wamid.{number}", account=ACCOUNT, phone=PHONE, at=1698266945.7, **given)


def _render(updates: list[Update], layout: Any = "compact", conversation: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(ACCOUNT, updates, layout, conversation))
    return body


def test_a_status_has_metas_shape() -> None:
    body = _render([StatusUpdate(_message(callback_data="some data"), "sent", 1698266945.9)])
    assert body == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": ACCOUNT.waba_id,
                "time": 1698266945,
                "changes": [
                    {
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": ACCOUNT.display_phone_number,
                                "phone_number_id": ACCOUNT.phone_number_id,
                            },
                            "contacts": [
                                {"profile": {"name": "Test Name"}, "wa_id": PHONE.wa_id, "user_id": PHONE.user_id}
                            ],
                            "statuses": [
                                {
                                    "id": "wamid.1",
                                    "status": "sent",
                                    "timestamp": "1698266945",
                                    "recipient_id": PHONE.wa_id,
                                    "recipient_user_id": PHONE.user_id,
                                    "biz_opaque_callback_data": "some data",
                                    "pricing": {
                                        "billable": False,
                                        "pricing_model": "PMP",
                                        "type": "free_customer_service",
                                        "category": "service",
                                    },
                                }
                            ],
                        },
                        "field": "messages",
                    }
                ],
            }
        ],
    }


def test_a_failed_status_has_errors_and_no_contacts_nor_pricing() -> None:
    value = _render([StatusUpdate(_message(), "failed", 1.0, 131026)])["entry"][0]["changes"][0]["value"]
    assert "contacts" not in value
    status = value["statuses"][0]
    assert "pricing" not in status
    assert status["errors"][0]["code"] == 131026
    assert set(status["errors"][0]) >= {"code", "title", "message", "error_data"}


def test_older_versions_have_a_conversation() -> None:
    value = _render([StatusUpdate(_message(), "sent", 1.0)], conversation=True)["entry"][0]["changes"][0]["value"]
    assert value["statuses"][0]["conversation"]["origin"] == {"type": "service"}


def test_a_customers_text_has_metas_shape() -> None:
    message = _message(author="customer", context={"from": "1555", "id": "wamid.0"})
    value = _render([MessageUpdate(message, message.at)])["entry"][0]["changes"][0]["value"]
    assert value["messages"] == [
        {
            "context": {"from": "1555", "id": "wamid.0"},
            "from": PHONE.wa_id,
            "from_user_id": PHONE.user_id,
            "id": "wamid.1",
            "timestamp": "1698266945",
            "type": "text",
            "text": {"body": "Body Text"},
        }
    ]


def test_an_unsupported_message_has_errors_in_place_of_a_body() -> None:
    message = _message(author="customer", type_="unsupported", body={})
    value = _render([MessageUpdate(message, message.at)])["entry"][0]["changes"][0]["value"]
    assert value["messages"][0]["errors"][0]["code"] == 131051
    assert "unsupported" not in value["messages"][0]


MIXED: list[Update] = [
    StatusUpdate(_message(1), "sent", 1.0),
    MessageUpdate(_message(2, author="customer"), 1.0),
    StatusUpdate(_message(3), "failed", 1.0, 131026),
    AccountUpdate("account_update", {"event": "X"}, 1.0),
    StatusUpdate(_message(4), "read", 1.0),
]


def _ids(body: dict[str, Any]) -> list[str]:
    values = [change["value"] for entry in body["entry"] for change in entry["changes"]]
    return sorted(i["id"] for v in values for i in v.get("statuses", []) + v.get("messages", []))


@pytest.mark.parametrize(("layout", "entries", "changes"), [("compact", 1, 4), ("changes", 1, 5), ("entries", 5, 5)])
def test_no_update_is_lost_in_any_layout(layout: str, entries: int, changes: int) -> None:
    body = _render(MIXED, layout)
    assert len(body["entry"]) == entries
    assert sum(len(entry["changes"]) for entry in body["entry"]) == changes
    assert _ids(body) == ["wamid.1", "wamid.2", "wamid.3", "wamid.4"]


def test_the_signature_is_the_hmac_of_the_raw_body() -> None:
    # Computed with: printf 'body' | openssl dgst -sha256 -hmac secret
    assert signature(b"body", "secret") == "sha256=dc46983557fea127b43af721467eb9b3fde2338fe3e14f51952aa8478c13d355"
