"""How WhatsApp Web names people and messages: `@c.us` and `@lid` addresses, group addresses, message keys."""

from __future__ import annotations

import random
import re

_random = random.Random()  # noqa: S311 - ids need to be unique, not secret

# Multiplying by a constant modulo a prime above every "1" + 15-digit number gives each number one lid, and back again,
# so that nothing needs to be kept, and a page that comes back after a restart still knows everybody.
_PRIME = 2_000_000_000_000_021
_FACTOR = 918_273_645_546_372
_INVERSE = pow(_FACTOR, -1, _PRIME)

_KEY = re.compile(r"^(true|false)_([^_]+)_([A-Za-z0-9.\-]+)(?:_(.+))?$")
_HEX = re.compile(r"^[A-Za-z0-9.\-]{1,128}$")


def lid_of(number: str) -> str:
    """Return the lid of a phone number: always the same, 16 digits at most, and nothing like the number."""
    return str(int("1" + number) * _FACTOR % _PRIME)


def number_of(lid: str) -> str | None:
    """Return the phone number a lid stands for, or None when it stands for none."""
    value = int(lid) if lid.isdigit() else _PRIME
    digits = str(value * _INVERSE % _PRIME) if value < _PRIME else ""
    return digits[1:] if digits.startswith("1") and 8 <= len(digits) <= 16 else None


def address_of(number: str, lid: bool) -> str:
    """Return a person's address, hidden or not."""
    return f"{lid_of(number)}@lid" if lid else f"{number}@c.us"


def person_of(address: str) -> str | None:
    """Return the phone number behind an address (`@lid`, `@c.us`, `@s.whatsapp.net`), or None."""
    user, _, server = address.partition("@")
    user = user.split(":", 1)[0].split(".", 1)[0]
    if server == "lid":
        return number_of(user)
    return user if server in ("c.us", "s.whatsapp.net") and user.isdigit() else None


def is_group(address: str) -> bool:
    """Say whether an address is a group's."""
    return address.endswith("@g.us")


def new_group_address() -> str:
    """Return a new group's address."""
    return f"120363{_random.randrange(10**11, 10**12)}@g.us"


def new_hex() -> str:
    """Return a new message id as WhatsApp Web makes them: 3EB0 and 18 hex digits."""
    return f"3EB0{_random.getrandbits(72):018X}"


def message_key(from_me: bool, remote: str, hex_: str, participant: str | None = None) -> str:
    """Return a message's whole key."""
    key = f"{'true' if from_me else 'false'}_{remote}_{hex_}"
    return f"{key}_{participant}" if participant else key


def parse_key(key: str) -> tuple[bool, str, str, str | None] | None:
    """Return (from me, remote, hex, participant) of a whole key, or None when it is none."""
    found = _KEY.match(key)
    return None if found is None else (found[1] == "true", found[2], found[3], found[4])


def is_hex(value: object) -> bool:
    """Say whether this can be the free part of a message key."""
    return isinstance(value, str) and _HEX.match(value) is not None
