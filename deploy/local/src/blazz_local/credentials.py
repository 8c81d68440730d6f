"""Passwords and keys of the local stack: made once, kept in `.blazz/secrets.json` (0600)."""

import base64
import secrets
from typing import Any

from blazz_local.atomic import read_json, write_json
from blazz_local.folder import Folder


class Credentials:
    """Values by name; a name that is asked for the first time gets a fresh random value."""

    def __init__(self, folder: Folder) -> None:
        self._path = folder.credentials
        self._values: dict[str, Any] = read_json(folder.credentials)

    def password(self, name: str) -> str:
        """32 URL-safe characters, so that they need no quoting in a connection URL."""
        return self._value(name, secrets.token_hex(16))

    def fernet_key(self, name: str) -> str:
        """32 random bytes as URL-safe base64, which is what Fernet takes."""
        return self._value(name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def get(self, name: str) -> Any:
        """A value kept with `keep`, or None."""
        return self._values.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Remember a value that something else made (the demo's API token is shown only once)."""
        self._values[name] = value
        write_json(self._path, self._values, mode=0o600)

    def _value(self, name: str, fresh: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str):
            self.keep(name, fresh)
            return fresh
        return value
