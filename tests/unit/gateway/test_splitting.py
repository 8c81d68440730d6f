"""A webhook becomes facts, and nothing that parses as JSON is lost."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from blazz_contracts.events import BY_NAME
from blazz_gateway.errors import Malformed
from blazz_gateway.webhooks.fact import Fact
from blazz_gateway.webhooks.parsing import Unpublishable, parsed
from blazz_gateway.webhooks.splitting import MOST_NUMBERS, MOST_UPDATES, numbers_named, split, too_much, whole
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[2] / "data" / "webhooks"
BODIES = {
    f"{file.stem}/{name}": body
    for file in sorted(DATA.glob("*.json"))
    for name, body in json.loads(file.read_text()).items()
}
WORKSPACE, OWN, OTHER = uuid4(), uuid4(), uuid4()
NUMBER = "1122334455667"
NUMBERS = {NUMBER: OWN, "2": OTHER}


def facts_of(webhook: Any) -> list[Fact]:
    facts = split(webhook, workspace_id=WORKSPACE, own_channel=OWN, channels=NUMBERS)
    for fact in facts:
        # What chat will read, through the contract's own eyes.
        event = BY_NAME[fact.kind.name].model_validate_json(fact.outgoing("gateway").body)
        assert event.workspace_id == WORKSPACE
    return facts


def webhook(value: Any, field: Any = "messages") -> dict[str, Any]:
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}],
    }


def value(**more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **more}


def text(identifier: str = "wamid.1", **more: Any) -> dict[str, Any]:
    return {
        "from": "31612345678",
        "id": identifier,
        "timestamp": "1697043223",
        "type": "text",
        "text": {"body": "a"},
    } | more


def status(identifier: str = "wamid.1", name: str = "sent", **more: Any) -> dict[str, Any]:
    return {"id": identifier, "status": name, "timestamp": "1698266945", "recipient_id": "31612345678"} | more


@pytest.mark.parametrize("name", BODIES)
def test_every_real_body_becomes_what_it_is(name: str) -> None:
    facts = facts_of(BODIES[name])
    kind, _, variant = name.partition("/")
    (fact,) = facts
    match kind:
        case "messages":
            message = BODIES[name]["entry"][0]["changes"][0]["value"]["messages"][0]
            assert fact.kind.name == "provider.message"
            assert fact.payload["channel_id"] == OWN
            assert fact.payload["provider_message_id"] == message["id"]
            assert fact.payload["type"] == message["type"]
            assert fact.payload["phone"] == "972987654321"
            assert fact.payload["user_id"] == "US.13491208655302741918"
            assert fact.payload["profile_name"] == "Test Name"
            assert fact.payload["extra"]["contact"] == {"parent_user_id": "US.ENT.11815799212886844830"}
            assert fact.payload["sent_at"] == datetime.fromtimestamp(int(message["timestamp"]), UTC)
            assert fact.payload["context"] == message.get("context")
            if variant == "contacts":
                assert len(fact.payload["content"]["contacts"]) == 3
            elif variant == "unsupported":
                assert fact.payload["extra"]["errors"] == message["errors"]
            else:
                assert fact.payload["content"] == message[message["type"]]
        case "statuses":
            item = BODIES[name]["entry"][0]["changes"][0]["value"]["statuses"][0]
            assert fact.kind.name == "provider.status"
            (made,) = fact.payload["items"]
            assert made["provider_message_id"] == item["id"]
            assert made["status"] == item["status"]
            assert made.get("callback_data") == item.get("biz_opaque_callback_data")
            assert made["pricing"] == item["pricing"]
            assert made["conversation"] == item["conversation"]
        case "template_status_updates":
            assert fact.kind.name == "provider.template"
            assert fact.payload["value"] == BODIES[name]["entry"][0]["changes"][0]["value"]
        case "user_preferences":
            # Its number is nobody's here.
            assert fact.kind.name == "provider.preference"
            assert fact.payload["channel_id"] is None
            assert fact.payload["value"]["user_preferences"][0]["value"] == "resume"


def test_every_entry_and_every_change_counts() -> None:
    body = {
        "entry": [
            {"changes": [{"field": "messages", "value": value(messages=[text("a"), text("b")])}] * 2},
            {"changes": [{"field": "messages", "value": value(messages=[text("c")])}]},
            {"changes": [{"field": "account_update", "value": {"event": "X"}}, {"field": "new", "value": {}}]},
        ]
    }
    facts = facts_of(body)
    assert [fact.payload.get("provider_message_id") for fact in facts[:5]] == ["a", "b", "a", "b", "c"]
    assert [fact.kind.name for fact in facts[5:]] == ["provider.account", "provider.unrecognized"]


def test_statuses_are_grouped_by_channel_and_cut_at_five_hundred() -> None:
    mine = [status(f"wamid.{number}") for number in range(1_000)]
    other = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "2"}, "statuses": [status("other")]}
    body = {"entry": [{"changes": [{"field": "messages", "value": each}]} for each in (value(statuses=mine), other)]}
    facts = facts_of(body)
    assert [(fact.payload["channel_id"], len(fact.payload["items"])) for fact in facts] == [
        (OWN, 500),
        (OWN, 500),
        (OTHER, 1),
    ]
    told = [item["provider_message_id"] for fact in facts[:2] for item in fact.payload["items"]]
    assert told == [f"wamid.{number}" for number in range(1_000)]


def test_a_message_and_a_status_in_one_change_are_both_told() -> None:
    facts = facts_of(webhook(value(messages=[text()], statuses=[status()])))
    assert [fact.kind.name for fact in facts] == ["provider.message", "provider.status"]


def test_an_echo_of_the_business_phone_goes_to_the_customer_it_was_written_to() -> None:
    echo = {
        "from": "15550001111",
        "to": "31612345678",
        "id": "w",
        "timestamp": "1",
        "type": "text",
        "text": {"body": "x"},
    }
    (fact,) = facts_of(webhook(value(message_echoes=[echo]), "smb_message_echoes"))
    assert fact.payload["echo"] is True
    assert fact.payload["phone"] == "31612345678"
    assert fact.payload["extra"]["from"] == "15550001111"


def test_a_customer_without_a_phone_number_is_known_by_their_user_id() -> None:
    message = {"from_user_id": "US.1349", "id": "w", "timestamp": "1", "type": "text", "text": {"body": "x"}}
    contacts = [{"profile": {"name": "Ada"}, "user_id": "US.1349"}, {"profile": {"name": "Bob"}, "user_id": "US.2"}]
    (fact,) = facts_of(webhook(value(contacts=contacts, messages=[message])))
    assert (fact.payload["phone"], fact.payload["user_id"], fact.payload["profile_name"]) == (None, "US.1349", "Ada")


def test_a_number_of_nobodys_is_unrecognized_and_names_no_channel() -> None:
    given = value(messages=[text()])
    given["metadata"]["phone_number_id"] = "99999"
    (fact,) = facts_of(webhook(given))
    assert fact.kind.name == "provider.unrecognized"
    assert fact.payload["channel_id"] is None
    assert fact.payload["value"] == given
    assert numbers_named(webhook(given)) == {"99999"}


def test_errors_beside_the_messages_are_kept() -> None:
    facts = facts_of(webhook(value(messages=[text()], errors=[{"code": 131000}])))
    assert [fact.kind.name for fact in facts] == ["provider.message", "provider.unrecognized"]
    assert facts[1].payload["value"]["errors"] == [{"code": 131000}]


def test_a_status_with_an_odd_part_still_counts_and_is_kept_whole_besides() -> None:
    facts = facts_of(webhook(value(statuses=[status(pricing=["new", "shape"])])))
    assert [fact.kind.name for fact in facts] == ["provider.unrecognized", "provider.status"]
    assert facts[0].payload["value"]["statuses"] == [status(pricing=["new", "shape"])]
    assert "pricing" not in facts[1].payload["items"][0]


ODD: list[Any] = [
    [],
    "text",
    7,
    None,
    {},
    {"entry": {}},
    {"entry": []},
    {"entry": [1, {"changes": "x"}, {"id": "1"}, {"messaging": []}]},
    {"entry": [{"changes": [None, {"value": {}}, {"field": 7}, {"field": "messages"}]}]},
    webhook(None),
    webhook([1]),
    webhook("x"),
    webhook({}),
    webhook({"metadata": "x", "messages": [text()]}),
    webhook(value(messages="x", statuses={"a": 1})),
    webhook(value(messages=[None, {}, {"id": ""}, {"id": "x" * 600, "from": "1"}, {"id": "no sender"}])),
    webhook(value(statuses=[None, 3, {"id": "a"}, {"id": "a", "status": "s" * 33}])),
    webhook(value(messages=[text(type=7, context=["odd"], timestamp="soon")])),
    webhook(value(messages=[text(**{"from": "not digits", "from_user_id": "US.1"})])),
    webhook(value(statuses=[status(timestamp=None, recipient_id="x" * 100, errors="bad")])),
    webhook({"a": 1}, "f" * 1000),
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_an_odd_shape_is_kept_whatever_it_is(body: Any) -> None:
    assert facts_of(body)


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
_WORDS = (
    "entry changes field value messages statuses metadata phone_number_id id status from type contacts text timestamp "
    "errors user_id wa_id profile name context pricing"
)
_KEYS = st.sampled_from(_WORDS.split())
_ANYTHING = st.recursive(
    _LEAVES | st.sampled_from(["messages", NUMBER, "smb_message_echoes", "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(inner=_ANYTHING, message=_ANYTHING, extra=_ANYTHING)
def test_no_shape_breaks_it_and_every_fact_keeps_the_contract(inner: Any, message: Any, extra: Any) -> None:
    assert facts_of(inner)
    assert facts_of(webhook(inner))
    assert facts_of(webhook(value(messages=[message], statuses=[extra], contacts=inner)))
    merged = text() | {"x": extra} | (message if isinstance(message, dict) else {})
    assert facts_of(webhook(value(messages=[merged], contacts=[extra])))


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"nan", b"[NaN]", b'{"a": Infinity}', b"\xff\xfe", b"{}x"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        parsed(body)


def test_half_an_emoji_and_nul_become_a_replacement_character() -> None:
    assert parsed(b'{"a": "x\\ud83d", "b": ["\\u0000"]}') == {"a": "x\ufffd", "b": ["\ufffd"]}


def test_bottomless_json_is_handed_on_as_text() -> None:
    body = b'{"a":' * 400 + b"1" + b"}" * 400
    with pytest.raises(Unpublishable) as kept:
        parsed(body)
    assert kept.value.text == body.decode()


def test_a_number_beyond_64_bits_cannot_be_handed_on_as_such() -> None:
    webhook_body = parsed(b'{"entry": [{"changes": [{"field": "x", "value": {"n": 123456789012345678901234567890}}]}]}')
    (fact,) = split(webhook_body, workspace_id=WORKSPACE, own_channel=OWN, channels={})
    with pytest.raises(TypeError):
        fact.outgoing("gateway")


def test_a_fact_carries_its_envelope() -> None:
    (fact,) = facts_of(webhook(value(messages=[text()])))
    message = fact.outgoing("gateway")
    assert message.headers["workspace-id"] == str(WORKSPACE)
    assert (message.type, message.routing_key, message.exchange) == ("provider.message",) * 2 + ("blazz.inbound",)
    assert not message.mandatory
    assert UUID(message.message_id).version == 7
    assert orjson.loads(message.body)["workspace_id"] == str(WORKSPACE)


def told(body: Any) -> int:
    """Bytes of all messages that become of it."""
    facts = whole(body, workspace_id=WORKSPACE, own_channel=OWN) if too_much(body) else facts_of(body)
    return sum(len(fact.outgoing("gateway").body) for fact in facts)


BIG = "x" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        webhook(value(big=BIG, messages=[1] * 100)),
        webhook(value(big=BIG, statuses=[{"id": None}] * 1000)),
        webhook(value(contacts=[{"wa_id": "31612345678", "big": BIG}], messages=[text()] * 100)),
        webhook(value(contacts=[{"wa_id": "31612345678", "profile": {"name": BIG}}], messages=[text()] * 100)),
        webhook(value(messages=[1] * 200_000)),
        webhook(value(statuses=[1] * 200_000)),
        {"entry": [1] * 200_000},
        {"entry": [{"changes": [1] * 200_000}]},
        {"entry": [{"changes": [{"field": "messages", "value": 1}] * 100_000}]},
        webhook(value(statuses=[status()] * 1000)),
        webhook(value(messages=[text()] * 1000)),
    ],
)
def test_a_webhook_never_becomes_more_than_a_few_times_its_own_size(body: Any) -> None:
    # Each update may become a message of its own, with a little of our own around it.
    assert told(body) < 2 * len(orjson.dumps(body)) + 1_000 * MOST_UPDATES


def test_what_cannot_be_read_of_a_change_is_kept_once_with_what_is_beside_it() -> None:
    facts = facts_of(webhook(value(errors=[{"code": 1}], messages=[1, text(), "a"], statuses=[2, status()])))
    (rest,) = [fact.payload["value"] for fact in facts if fact.kind.name == "provider.unrecognized"]
    assert rest == value(errors=[{"code": 1}], messages=[1, "a"], statuses=[2])
    assert [fact.kind.name for fact in facts].count("provider.message") == 1


def test_what_else_is_said_of_a_contact_goes_with_their_first_message() -> None:
    contacts = [{"wa_id": each, "parent_user_id": each} for each in ("31612345678", "49151")]
    messages = [text("1"), text("2"), text("3", **{"from": "49151"}), text("4")]
    extras = [fact.payload["extra"] for fact in facts_of(webhook(value(contacts=contacts, messages=messages)))]
    assert extras == [{"contact": {"parent_user_id": "31612345678"}}, {}, {"contact": {"parent_user_id": "49151"}}, {}]


def test_more_updates_than_whatsapp_sends_are_kept_whole_and_so_are_very_many_numbers() -> None:
    assert not too_much(webhook(value(statuses=[status()] * MOST_UPDATES)))
    assert too_much(webhook(value(statuses=[status()] * (MOST_UPDATES + 1))))

    def of(numbers: int) -> dict[str, Any]:
        changes = [
            {"field": "messages", "value": {"metadata": {"phone_number_id": str(10_000 + each)}}}
            for each in range(numbers)
        ]
        return {"entry": [{"changes": changes}]}

    assert not too_much(of(MOST_NUMBERS))
    assert too_much(of(MOST_NUMBERS + 1))


@pytest.mark.parametrize("number", ["1", "12345a", "+12345", "1" * 33, "12345\n", "١٢٣٤٥"])
def test_what_cannot_be_a_number_is_nobodys_without_a_look(number: str) -> None:
    body = webhook({"metadata": {"phone_number_id": number}, "messages": [text()]})
    assert numbers_named(body) == set()
    (fact,) = facts_of(body)
    assert (fact.kind.name, fact.payload["channel_id"]) == ("provider.unrecognized", None)
