"""Encryption of what must be read back: channel credentials and webhook secrets."""

from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from blazz_chassis.errors import BlazzError, SettingsMissing


class SealBroken(BlazzError):
    """Something sealed cannot be opened: it was sealed with a key that is not in `BLAZZ_SEAL_KEY`, or was changed."""

    code, title = "seal_broken", "A stored secret cannot be decrypted; is the old seal key still in BLAZZ_SEAL_KEY?"


class Sealer:
    """Seals with the newest key, opens with any of them (Fernet: AES-128-CBC and HMAC-SHA256)."""

    def __init__(self, keys: str | SecretStr) -> None:
        """Take Fernet keys, comma separated, newest first. They are read at first use: documents need none."""
        self._keys = keys.get_secret_value() if isinstance(keys, SecretStr) else keys

    @cached_property
    def _fernet(self) -> MultiFernet:
        try:
            return MultiFernet([Fernet(key.strip()) for key in self._keys.split(",") if key.strip()])
        except ValueError as error:
            raise SettingsMissing("set BLAZZ_SEAL_KEY to one or more Fernet keys") from error

    def check(self) -> None:
        """Raise `SettingsMissing` when there is no key, or one is none."""
        _ = self._fernet

    def seal(self, plain: bytes) -> str:
        """Return `plain` encrypted, as URL-safe text."""
        return self._fernet.encrypt(plain).decode("ascii")

    def open(self, sealed: str) -> bytes:
        """Return what was sealed; raise `SealBroken` when no key opens it."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealBroken from error

    def rotate(self, sealed: str) -> str:
        """Return the same secret sealed with the newest key."""
        try:
            return self._fernet.rotate(sealed).decode("ascii")
        except InvalidToken as error:
            raise SealBroken from error


def new_key() -> str:
    """Return a fresh key for `BLAZZ_SEAL_KEY`."""
    return Fernet.generate_key().decode("ascii")
