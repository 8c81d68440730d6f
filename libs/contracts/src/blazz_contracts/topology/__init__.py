"""The broker topology of Blazz, as data: declared here and nowhere else."""

from blazz_contracts.topology.address import Address, address_of
from blazz_contracts.topology.definitions import definitions, policies
from blazz_contracts.topology.exchange import COMMANDS, EVENTS, EXCHANGES, INBOUND, SESSIONS, UNROUTED, Exchange
from blazz_contracts.topology.queue import Binding, Ladder, Queue, RetryStep
from blazz_contracts.topology.queues import (
    LADDERS,
    PASSING,
    PASSING_ARGUMENTS,
    PASSING_QUEUE,
    QUEUES,
    UNROUTED_QUEUE,
    by_name,
    of_service,
    session_queue,
)
from blazz_contracts.topology.service import SERVICES

__all__ = [
    "COMMANDS",
    "EVENTS",
    "EXCHANGES",
    "INBOUND",
    "LADDERS",
    "PASSING",
    "PASSING_ARGUMENTS",
    "PASSING_QUEUE",
    "QUEUES",
    "SERVICES",
    "SESSIONS",
    "UNROUTED",
    "UNROUTED_QUEUE",
    "Address",
    "Binding",
    "Exchange",
    "Ladder",
    "Queue",
    "RetryStep",
    "address_of",
    "by_name",
    "definitions",
    "of_service",
    "policies",
    "session_queue",
]
