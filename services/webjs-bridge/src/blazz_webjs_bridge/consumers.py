"""Events in: a session goes with its channel at chat, and has its name. (Commands come by each session's queue.)"""

from blazz_chassis.app import Service
from blazz_contracts import Envelope
from blazz_contracts.events import ChannelUpdated
from blazz_contracts.topology import queues

from blazz_webjs_bridge.finishing import Finishing


def register(service: Service, finishing: Finishing) -> None:
    """Consume what chat tells of channels."""

    @service.consumer.on(queues.WEBJS_BRIDGE_CHANNELS, ChannelUpdated)
    async def updated(event: ChannelUpdated, _envelope: Envelope) -> None:
        if event.provider != "webjs":
            return
        if event.deleted:
            await finishing.channel_deleted(event.workspace_id, event.channel_id)
        else:
            await finishing.channel_named(event.workspace_id, event.channel_id, event.display_name)
