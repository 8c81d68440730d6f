"""Random secrets that are shown once and kept as their hash, and the keys of the gateway's own signatures.

A plain SHA-256 is enough for 256 random bits: there is nothing to guess.
"""

import hashlib
import hmac
import secrets

from pydantic import SecretStr


def new(prefix: str) -> str:
    """Return `prefix` and 256 random bits as URL-safe text."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of it."""
    return hashlib.sha256(secret.encode()).digest()


def derived(key: SecretStr, purpose: str) -> bytes:
    """A key for one purpose alone, from the key that all services share (HMAC-SHA256 as the KDF)."""
    return hmac.new(key.get_secret_value().encode(), b"blazz gateway " + purpose.encode(), hashlib.sha256).digest()
