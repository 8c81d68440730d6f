"""Who sent a webhook: Meta's signature over the raw body, and the handshake's verify token."""

import hmac
from hashlib import sha256

_SCHEME = "sha256="


def signed_by(app_secret: bytes, body: bytes, header: str) -> bool:
    """Whether `X-Hub-Signature-256` is this body's under the app secret. Constant time."""
    expected = _SCHEME + hmac.new(app_secret, body, sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), header.encode())


def same(given: str, expected: str) -> bool:
    """Whether two secrets are the same. Constant time but for their length."""
    return hmac.compare_digest(given.encode(), expected.encode())
