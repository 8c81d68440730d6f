"""`deploy/rabbitmq/definitions.json`: the broker topology of the contracts, for brokers that others run.

Its users have no password hash, with which RabbitMQ lets nobody in: `deploy/rabbitmq/fill_passwords.py` adds them where
the broker starts, so that none is committed.
"""

import json
from pathlib import Path

from blazz_contracts.topology import SERVICES, definitions

from blazz_local.folder import CLONE

TARGET = CLONE / "deploy" / "rabbitmq" / "definitions.json"


def rendered() -> str:
    """The committed form, without passwords."""
    content = definitions(dict.fromkeys(SERVICES, ""))
    content["users"] = [{**user, "password_hash": ""} for user in content["users"]]
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def write(target: Path = TARGET) -> None:
    """Write the file again, after the topology has changed."""
    target.write_text(rendered(), "utf-8")
