"""The ids WhatsApp gives: wamids, media ids, business-scoped user ids, trace ids."""

import base64
import hashlib
import random
import re
import string

_random = random.Random()  # noqa: S311 - ids need to be unique, not secret

USER_ID = re.compile(r"^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$")
"""A business-scoped user id: ISO country code, a dot, up to 128 alphanumerics."""

_NOT_DIGITS = re.compile(r"[\s().+-]")

# Only what a demo is likely to use: a user id needs a country, and an unknown one is ZZ (ISO 3166 user-assigned).
_COUNTRIES = (
    ("1", "US"), ("20", "EG"), ("27", "ZA"), ("31", "NL"), ("33", "FR"), ("34", "ES"), ("39", "IT"), ("41", "CH"),
    ("43", "AT"), ("44", "GB"), ("49", "DE"), ("52", "MX"), ("54", "AR"), ("55", "BR"), ("57", "CO"), ("61", "AU"),
    ("62", "ID"), ("65", "SG"), ("7", "RU"), ("81", "JP"), ("90", "TR"), ("91", "IN"), ("92", "PK"), ("234", "NG"),
    ("254", "KE"), ("966", "SA"), ("971", "AE"), ("972", "IL"),
)  # fmt: skip


def wamid(number: str) -> str:
    """Return a new message id in WhatsApp's form: base64 of a small binary record with the number and 18 hex digits."""
    tail = b"%018X" % _random.getrandbits(72)
    raw = b"\x1c\x18%c%b\x15\x02\x00\x11\x18\x12%b\x00" % (len(number) & 0xFF, number.encode(), tail)
    return "wamid." + base64.b64encode(raw).decode()


def numeric_id() -> str:
    """Return a new 16-digit id, as media, templates and numbers have."""
    return str(_random.randrange(10**15, 10**16))


def trace_id() -> str:
    """Return a new `fbtrace_id`."""
    return "A" + "".join(_random.choices(string.ascii_letters + string.digits, k=22))


def token(length: int = 32) -> str:
    """Return a new opaque token for a media download URL."""
    return "".join(_random.choices(string.ascii_letters + string.digits, k=length))


def wa_id(number: str) -> str | None:
    """Return the digits of a phone number written as people write it, or None when it is none.

    E.164 allows at most 15 digits; the shortest numbers in use with country code have 7.
    """
    digits = number if number.isdigit() else _NOT_DIGITS.sub("", number)
    return digits if digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15 else None


def user_id_of(number: str) -> str:
    """Return the business-scoped user id of a phone number: always the same for the same number."""
    country = next((code for prefix, code in _COUNTRIES if number.startswith(prefix)), "ZZ")
    digest = hashlib.blake2b(number.encode(), digest_size=8).digest()
    return f"{country}.{int.from_bytes(digest, 'big') % 10**17:017d}"


def new_call_id() -> str:
    """Return a new id of a call: 32 hex digits."""
    return f"{_random.getrandbits(128):032X}"
