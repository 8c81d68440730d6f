"""What is told of a channel that changed."""

from typing import Any

import orjson
from blazz_chassis.seal import Sealer
from blazz_contracts.events import ChannelUpdated

_HOOKS = ("app_secret", "verify_token")


def updated(row: Any, sealer: Sealer) -> ChannelUpdated:
    """The event of a row of `channels`, with the secrets of its webhook sealed for the gateway."""
    secrets = orjson.loads(sealer.open(row["sealed_credentials"]))
    hooks = {name: secrets[name] for name in _HOOKS if name in secrets}
    return ChannelUpdated(
        workspace_id=row["workspace_id"],
        channel_id=row["id"],
        revision=row["revision"],
        provider=row["provider"],
        display_name=row["name"],
        phone_number_id=row["phone_number_id"],
        waba_id=row["waba_id"],
        webhook_identifier=row["webhook_identifier"],
        sealed_webhook_secrets=sealer.seal(orjson.dumps(hooks)) if hooks else None,
        deleted=row["deleted_at"] is not None,
        state=row["state"],
        state_reason=row["state_reason"],
    )
