"""Identifiers: UUIDv7, so that rows are written in the order of their keys."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562): greater than every one this process made before."""
    return _uuid7()
