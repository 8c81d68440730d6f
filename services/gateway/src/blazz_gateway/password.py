"""Passwords: argon2id, off the event loop, as slow for an unknown user as for a wrong password."""

import asyncio
import os

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from blazz_chassis.errors import Invalid

MIN_LENGTH, MAX_LENGTH = 8, 256
"""Characters. NIST SP 800-63B asks for at least 8 and for no composition rules; the upper bound is against abuse."""

# OWASP's first recommendation for argon2id (Password Storage Cheat Sheet): 46 MiB, one pass, one lane; about 40 ms.
# RFC 9106's second one (64 MiB, three passes, four lanes) costs three times the CPU for the same class of attacker.
_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
# Each hash takes 46 MiB while it runs: a burst of logins must not take all memory.
_turns = asyncio.Semaphore(max(2, os.cpu_count() or 2))
_decoy: str | None = None


def check_strength(password: str) -> None:
    """Raise `Invalid` naming `password` when it is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters", field="password")


async def hashed(password: str) -> str:
    """Return the argon2id hash, with its parameters and salt."""
    async with _turns:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one. With nothing stored the same work is done, and the answer is no."""
    global _decoy  # noqa: PLW0603 - made once a process
    async with _turns:
        if stored is None and _decoy is None:
            _decoy = await asyncio.to_thread(_hasher.hash, os.urandom(16).hex())
        correct = await asyncio.to_thread(_verify, stored or _decoy or "", password)
    return correct and stored is not None


def outdated(stored: str) -> bool:
    """Whether it was hashed with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
