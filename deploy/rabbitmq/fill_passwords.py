"""Gives the users of `definitions.json` their passwords from the environment, and adds the administrator.

`python fill_passwords.py SOURCE TARGET`; standard library only. Passwords: `BLAZZ_RABBITMQ_PASSWORD_{SERVICE}` and
`BLAZZ_RABBITMQ_ADMIN_PASSWORD`.
"""

import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

ADMIN = "admin"


def password_hash(password: str) -> str:
    """RabbitMQ's salted hash: base64(salt + sha256(salt + password)) (its guide on passwords)."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def filled(definitions: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """The definitions with passwords. Raises SystemExit naming the variables that are missing."""
    names = {
        user["name"]: f"BLAZZ_RABBITMQ_PASSWORD_{user['name'].upper().replace('-', '_')}"
        for user in definitions["users"]
    } | {ADMIN: "BLAZZ_RABBITMQ_ADMIN_PASSWORD"}
    missing = [variable for variable in names.values() if not environment.get(variable)]
    if missing:
        raise SystemExit(f"set {', '.join(missing)}")
    admin = {"name": ADMIN, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": "administrator"}
    everything = {"user": ADMIN, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    users = [
        {**user, "password_hash": password_hash(environment[names[user["name"]]])}
        for user in [*definitions["users"], admin]
    ]
    return {**definitions, "users": users, "permissions": [*definitions["permissions"], everything]}


def main(source: str, target: str) -> None:
    """Read, fill, write. The target holds salted hashes, no passwords."""
    content = filled(json.loads(Path(source).read_text()), dict(os.environ))
    Path(target).write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
