"""Events in: what chat tells of channels, what all tell for the audit log."""

from blazz_chassis.consumer import Consumer
from blazz_contracts import Envelope
from blazz_contracts.events import AuditRecorded, ChannelUpdated
from blazz_contracts.topology.queues import GATEWAY_AUDIT, GATEWAY_CHANNELS

from blazz_gateway.audit import AuditLog
from blazz_gateway.channel import Channels


def install(consumer: Consumer, channels: Channels, log: AuditLog) -> None:
    """Consume the gateway's queues."""

    @consumer.on(GATEWAY_CHANNELS, ChannelUpdated, concurrency=20)
    async def channel_updated(event: ChannelUpdated, _: Envelope) -> None:
        await channels.keep(event)

    @consumer.on(GATEWAY_AUDIT, AuditRecorded, concurrency=50)
    async def audit_recorded(event: AuditRecorded, envelope: Envelope) -> None:
        await log.keep(event, envelope)
