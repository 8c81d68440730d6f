"""The topology as RabbitMQ's own `definitions.json`, with a user for each service and the policies that may change."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from blazz_contracts.topology.exchange import EXCHANGES, UNROUTED
from blazz_contracts.topology.queue import DEAD_ARGUMENTS
from blazz_contracts.topology.queues import LADDERS, PASSING, PASSING_ARGUMENTS, PASSING_QUEUE, QUEUES, UNROUTED_QUEUE
from blazz_contracts.topology.service import SERVICES

# What a service may touch. Everybody publishes to the exchanges and through the default one (retry, dead letters);
# a service configures and reads only its own queues and the exclusive ones of its instances.
_PUBLISH = r"amq\.default|blazz\..*"


def policies(
    *, vhost: str = "/", dead_length: int = 100_000, retry_length: int = 1_000_000, unrouted_length: int = 1_000_000
) -> list[dict[str, Any]]:
    """Lengths, in messages. A full retry queue refuses (and the message stays where it is); a full dead letter queue
    drops its oldest, which the alert on dead letters has long told."""

    def policy(name: str, pattern: str, definition: dict[str, Any]) -> dict[str, Any]:
        return {
            "vhost": vhost,
            "name": name,
            "pattern": pattern,
            "apply-to": "queues",
            "priority": 10,
            "definition": definition,
        }

    return [
        policy("blazz-dead", r"^.*\.dead$", {"max-length": dead_length}),
        policy("blazz-retry", r"^.*\.retry\.[0-9]+s$", {"max-length": retry_length}),
        policy("blazz-unrouted", rf"^{UNROUTED_QUEUE.replace('.', '[.]')}$", {"max-length": unrouted_length}),
    ]


def permissions(service: str) -> dict[str, str]:
    """Regular expressions for RabbitMQ's configure, write and read rights of a service's user."""
    own = rf"{service.replace('-', '[-]')}\..*"
    return {
        "configure": rf"^({own}|blazz\..*)$",
        "write": rf"^({own}|{_PUBLISH})$",
        "read": rf"^({own}|blazz\..*)$",
    }


def definitions(
    passwords: Mapping[str, str], *, vhost: str = "/", scale: float = 1.0, **lengths: int
) -> dict[str, Any]:
    """Everything a broker needs before the services come.

    `passwords`: by service, users only for those named. `scale` shortens the waits of the retry ladder.
    """
    queues: list[dict[str, Any]] = [
        _queue(vhost, UNROUTED_QUEUE, {"x-queue-type": "quorum"}),
        _queue(vhost, PASSING_QUEUE, PASSING_ARGUMENTS),
    ]
    bindings = [_binding(vhost, UNROUTED.name, UNROUTED_QUEUE, "")]
    bindings.extend(_binding(vhost, b.exchange, PASSING_QUEUE, b.routing_key) for b in PASSING)
    for queue in QUEUES:
        queues.append(_queue(vhost, queue.name, queue.arguments))
        queues.append(_queue(vhost, queue.dead, queue.dead_arguments))
        queues.extend(_queue(vhost, step.name, step.arguments(scale)) for step in queue.steps)
        bindings.extend(_binding(vhost, b.exchange, queue.name, b.routing_key) for b in queue.bindings)
    for ladder in LADDERS:
        queues.append(_queue(vhost, ladder.dead, DEAD_ARGUMENTS))
        queues.extend(_queue(vhost, step.name, step.arguments(scale)) for step in ladder.steps)
        bindings.extend(_binding(vhost, step.exchange, step.name, "") for step in ladder.steps)
    return {
        "users": [_user(service, passwords[service]) for service in SERVICES if service in passwords],
        "vhosts": [{"name": vhost}],
        "permissions": [
            {"user": service, "vhost": vhost, **permissions(service)} for service in SERVICES if service in passwords
        ],
        "policies": policies(vhost=vhost, **lengths),
        "exchanges": [
            {
                "name": exchange.name,
                "vhost": vhost,
                "type": exchange.kind,
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": exchange.arguments,
            }
            for exchange in EXCHANGES
        ],
        "queues": queues,
        "bindings": bindings,
    }


def _queue(vhost: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": arguments}


def _binding(vhost: str, exchange: str, queue: str, key: str) -> dict[str, Any]:
    return {
        "source": exchange,
        "vhost": vhost,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }


def _user(name: str, password: str) -> dict[str, Any]:
    """A user with RabbitMQ's salted hash: base64(salt + sha256(salt + password)) (its guide on passwords)."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "",
    }
