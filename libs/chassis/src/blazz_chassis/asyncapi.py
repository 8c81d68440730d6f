"""The AsyncAPI document of a service, made by FastStream from what is consumed and published; for committing."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from blazz_contracts import Event
from blazz_contracts.event import Kind
from blazz_contracts.topology import COMMANDS, EVENTS, EXCHANGES, INBOUND, SESSIONS
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.specification import AsyncAPI

if TYPE_CHECKING:
    from blazz_chassis.consumer import Consumer

_EXCHANGE = {Kind.COMMAND: COMMANDS, Kind.SESSION: SESSIONS, Kind.INBOUND: INBOUND, Kind.EVENT: EVENTS}
_TYPES = {exchange.name: exchange.kind for exchange in EXCHANGES}


def document(
    service: str,
    version: str,
    consumer: "Consumer",
    publishes: Sequence[type[Event]],
    hears: Sequence[type[Event]] = (),
) -> dict[str, Any]:
    """Return the document; `hears` are the events of the instance's own queue.

    The same code gives the same document: it is made without a broker, in sorted order.
    """
    # A broker of its own that never connects: the running one takes raw deliveries, this one knows the types.
    broker = RabbitBroker("amqp://localhost", app_id=service, logger=None, specification_url="amqp://localhost")
    consumed = [
        (subscription.queue.name, kind, subscription.queue.bindings)
        for subscription in consumer.subscriptions.values()
        for kind, _ in subscription.handlers.values()
    ]
    for name, kind, _bindings in sorted(consumed, key=lambda each: (each[0], each[1].name)):
        queue = RabbitQueue(name, queue_type=QueueType.QUORUM, routing_key=_key(kind))
        broker.subscriber(queue, _exchange(kind), title=f"{name}:{kind.name}", description=_told(kind))(_taker(kind))
    for kind in sorted(hears, key=lambda each: each.name):
        name = f"{service}.instance.*"
        queue = RabbitQueue(name, durable=False, exclusive=True, auto_delete=True, routing_key=_key(kind))
        title = f"{service}.instance:{kind.name}"
        broker.subscriber(queue, _exchange(kind), title=title, description=_told(kind))(_taker(kind))
    for kind in sorted(publishes, key=lambda each: each.name):
        broker.publisher(
            exchange=_exchange(kind),
            routing_key=_key(kind),
            mandatory=kind.kind in (Kind.COMMAND, Kind.SESSION),
            persist=True,
            schema=kind,
            title=f"{service}:publish:{kind.name}",
            description=_told(kind),
            message_type=kind.name,
        )
    specification = AsyncAPI(broker, title=f"Blazz {service}", version=version, schema_version="3.0.0")
    return cast("dict[str, Any]", specification.to_specification().to_jsonable())


def _exchange(kind: type[Event]) -> RabbitExchange:
    exchange = _EXCHANGE[kind.kind]
    return RabbitExchange(exchange.name, type=ExchangeType(_TYPES[exchange.name]), durable=True)


def _key(kind: type[Event]) -> str:
    if kind.kind is Kind.SESSION:
        return "{session_id}"
    return f"{kind.name}.*" if kind.kind is Kind.EVENT else kind.name


def _told(kind: type[Event]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


def _taker(kind: type[Event]) -> Callable[..., Any]:
    async def take(event: Any) -> None: ...

    take.__annotations__ = {"event": kind, "return": None}
    take.__name__ = kind.name.replace(".", "_")
    take.__doc__ = kind.__doc__
    return take
