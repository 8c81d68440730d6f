"""The topology is whole: what is published arrives somewhere, what cannot be handled is kept."""

import base64
import hashlib
import json
import re
from uuid import uuid4

import pytest
from blazz_contracts import Event, Kind
from blazz_contracts.events import ALL, BY_NAME, MessageRequested, SessionSend
from blazz_contracts.message import Lane
from blazz_contracts.publish_schemas import GOLDEN
from blazz_contracts.schema import file_name
from blazz_contracts.topology import (
    COMMANDS,
    EVENTS,
    EXCHANGES,
    INBOUND,
    QUEUES,
    SERVICES,
    SESSIONS,
    UNROUTED_QUEUE,
    Queue,
    address_of,
    by_name,
    definitions,
    of_service,
    session_queue,
)
from blazz_contracts.topology.queues import CHAT_SEND

PASSWORDS = {service: f"secret of {service}" for service in SERVICES}
every_queue = pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)


def example(event: type[Event]) -> Event:
    """An event with its golden payload."""
    return event.model_validate_json((GOLDEN / file_name(event)).read_text("utf-8"))


@every_queue
def test_a_queue_is_its_services_and_durable_for_good(queue: Queue) -> None:
    assert queue.service in SERVICES
    assert re.fullmatch(rf"{queue.service}(\.[a-z]+)+", queue.name)
    assert queue in of_service(queue.service)
    assert by_name(queue.name) is queue
    assert queue.arguments["x-queue-type"] == "quorum"
    assert queue.arguments["x-delivery-limit"] > 3  # a neighbour's crash burns one with prefetch


@every_queue
def test_a_queue_has_a_retry_ladder_that_returns_and_a_place_for_the_dead(queue: Queue) -> None:
    assert queue.dead == f"{queue.name}.dead"
    assert queue.arguments["x-dead-letter-routing-key"] == queue.dead
    assert [step.delay.total_seconds() for step in queue.steps] == [30, 60, 120]
    for step in queue.steps:
        arguments = step.arguments()
        assert step.name == f"{queue.name}.retry.{round(step.delay.total_seconds())}s"
        assert arguments["x-message-ttl"] == step.delay.total_seconds() * 1000
        assert (arguments["x-dead-letter-exchange"], arguments["x-dead-letter-routing-key"]) == ("", queue.name)
        # At least once needs a queue that refuses rather than drops.
        assert (arguments["x-dead-letter-strategy"], arguments["x-overflow"]) == ("at-least-once", "reject-publish")
        assert step.arguments(scale=0.01)["x-message-ttl"] == step.delay.total_seconds() * 10


def test_a_sessions_queue_shares_its_ladder_and_returns_by_its_own_key() -> None:
    session = uuid4()
    queue, other = session_queue(session), session_queue(uuid4())
    assert queue.name != other.name
    assert (queue.dead, queue.steps) == (other.dead, other.steps)
    (binding,) = queue.bindings
    command = example(SessionSend).model_copy(update={"session_id": session})
    assert (binding.exchange, binding.routing_key) == (address_of(command).exchange, address_of(command).routing_key)
    for step in queue.steps:
        assert step.key(binding.routing_key) == binding.routing_key
        assert step.exchange in {exchange.name for exchange in EXCHANGES if exchange.kind == "fanout"}
        arguments = step.arguments()
        assert arguments["x-dead-letter-exchange"] == SESSIONS.name
        assert "x-dead-letter-routing-key" not in arguments


def test_no_two_queues_have_the_same_name() -> None:
    names = [name for queue in QUEUES for name in (queue.name, queue.dead, *(step.name for step in queue.steps))]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.name)
def test_an_event_goes_to_the_exchange_of_its_kind(event: type[Event]) -> None:
    made = example(event)
    address = address_of(made)
    expected = {Kind.COMMAND: COMMANDS, Kind.SESSION: SESSIONS, Kind.INBOUND: INBOUND, Kind.EVENT: EVENTS}[event.kind]
    assert (address.exchange, address.routing_key) == (expected.name, made.routing_key())
    assert address.mandatory == (event.kind in (Kind.COMMAND, Kind.SESSION))
    if event.kind is Kind.EVENT:
        assert address.routing_key == f"{event.name}.{made.workspace_id}"


@pytest.mark.parametrize(
    "event", [each for each in ALL if each.kind in (Kind.COMMAND, Kind.INBOUND)], ids=lambda event: event.name
)
def test_what_has_one_receiver_is_bound_to_one_queue(event: type[Event]) -> None:
    address = address_of(example(event))
    bound = [
        q.name
        for q in QUEUES
        for b in q.bindings
        if (b.exchange, b.routing_key) == (address.exchange, address.routing_key)
    ]
    assert len(bound) == 1


def test_lanes_are_queues_of_their_own_that_keep_the_order() -> None:
    request = example(MessageRequested)
    keys = set()
    for lane in Lane:
        key = request.model_copy(update={"lane": lane}).routing_key()
        assert [(b.exchange, b.routing_key) for b in CHAT_SEND[lane].bindings] == [(COMMANDS.name, key)]
        assert CHAT_SEND[lane].arguments["x-single-active-consumer"] is True
        keys.add(key)
    assert len(keys) == len(Lane) == 4


def test_a_topic_binding_takes_one_event_of_every_workspace_and_no_other() -> None:
    for queue in QUEUES:
        for binding in (each for each in queue.bindings if each.exchange == EVENTS.name):
            name, star = binding.routing_key.rsplit(".", 1)
            assert star == "*"
            assert BY_NAME[name].kind is Kind.EVENT
            # One word of the key: a workspace's id has no dot.
            assert len(f"{name}.{uuid4()}".split(".")) == len(binding.routing_key.split("."))


def test_exchanges_that_are_not_for_commands_keep_what_nobody_takes() -> None:
    names = [exchange.name for exchange in EXCHANGES]
    for exchange in EXCHANGES:
        if exchange.alternate is not None:
            assert names.index(exchange.alternate) < names.index(exchange.name)  # declared in this order
    assert {exchange.name for exchange in EXCHANGES if exchange.alternate} == {EVENTS.name, INBOUND.name}


def test_definitions_hold_everything_and_name_nothing_that_is_not_there() -> None:
    made = json.loads(json.dumps(definitions(PASSWORDS)))
    queues = {each["name"]: each for each in made["queues"]}
    exchanges = {each["name"]: each for each in made["exchanges"]}
    assert set(exchanges) == {each.name for each in EXCHANGES}
    for queue in QUEUES:
        assert queues[queue.name]["arguments"] == queue.arguments
        assert queue.dead in queues
        for step in queue.steps:
            assert queues[step.name]["arguments"] == step.arguments()
    for each in queues.values():
        assert each["durable"] is True
        target = each["arguments"].get("x-dead-letter-routing-key")
        assert target is None or target in queues
    for each in exchanges.values():
        assert each["arguments"].get("alternate-exchange", each["name"]) in exchanges
    for each in made["bindings"]:
        assert each["source"] in exchanges
        assert each["destination"] in queues
    bound = {(b["source"], b["destination"], b["routing_key"]) for b in made["bindings"]}
    assert bound >= {(b.exchange, q.name, b.routing_key) for q in QUEUES for b in q.bindings}
    assert ("blazz.unrouted", UNROUTED_QUEUE, "") in bound
    assert {key for each in (*queues.values(), *exchanges.values()) for key in each} == {
        "name", "vhost", "durable", "auto_delete", "arguments", "type", "internal",
    }  # fmt: skip


def test_definitions_are_for_the_virtual_host_and_scale_that_was_asked_for() -> None:
    made = definitions(PASSWORDS, vhost="blazz", scale=0.5, dead_length=7)
    assert {
        each["vhost"] for kind in ("queues", "exchanges", "bindings", "policies", "permissions") for each in made[kind]
    } == {"blazz"}
    step = QUEUES[0].steps[0]
    assert next(q for q in made["queues"] if q["name"] == step.name)["arguments"] == step.arguments(0.5)
    assert next(p for p in made["policies"] if p["name"] == "blazz-dead")["definition"] == {"max-length": 7}


def test_every_queue_that_may_grow_has_a_length_by_policy() -> None:
    patterns = [each["pattern"] for each in definitions({})["policies"]]
    for name in [UNROUTED_QUEUE, *(q.dead for q in QUEUES), *(step.name for q in QUEUES for step in q.steps)]:
        assert sum(bool(re.search(pattern, name)) for pattern in patterns) == 1, name
    for queue in QUEUES:
        assert not any(re.search(pattern, queue.name) for pattern in patterns), queue.name


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_user_logs_in_and_touches_its_own_queues_only(service: str) -> None:
    made = definitions(PASSWORDS)
    user = next(each for each in made["users"] if each["name"] == service)
    salted = base64.b64decode(user["password_hash"])
    assert salted[4:] == hashlib.sha256(salted[:4] + PASSWORDS[service].encode()).digest()
    assert user["tags"] == ""

    rights = next(each for each in made["permissions"] if each["user"] == service)
    for queue in QUEUES:
        own = queue.service == service
        for right in ("configure", "read"):
            assert bool(re.search(rights[right], queue.name)) == own, (right, queue.name)
    for exchange in EXCHANGES:
        assert re.search(rights["write"], exchange.name)
    assert not re.search(rights["configure"], f"{service}-2.queue")


def test_users_are_made_only_for_those_who_have_a_password() -> None:
    assert [each["name"] for each in definitions({"chat": "x"})["users"]] == ["chat"]
