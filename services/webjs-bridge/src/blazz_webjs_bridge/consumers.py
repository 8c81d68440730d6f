"""Events in: a channel that was deleted at chat takes its session with it. (Commands come by each session's queue.)"""

from blazz_chassis.app import Service
from blazz_contracts import Envelope
from blazz_contracts.events import ChannelUpdated
from blazz_contracts.topology import queues

from blazz_webjs_bridge.finishing import Finishing


def register(service: Service, finishing: Finishing) -> None:
    """Consume what chat tells of channels."""

    @service.consumer.on(queues.WEBJS_BRIDGE_CHANNELS, ChannelUpdated)
    async def updated(event: ChannelUpdated, _envelope: Envelope) -> None:
        if event.deleted and event.provider == "webjs":
            await finishing.channel_deleted(event.workspace_id, event.channel_id)
