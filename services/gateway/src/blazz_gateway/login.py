"""Logging in: slow on purpose, the same for unknown users, and only so many failures a minute."""

from collections.abc import Sequence

from blazz_chassis.database import Database

from blazz_gateway import audit, rate, secret, user
from blazz_gateway import password as passwords
from blazz_gateway.errors import InvalidCredentials, RateLimited
from blazz_gateway.session import Credentials, Sessions
from blazz_gateway.user import User

# One guesser has many accounts, one account has many guessers: each has a limit of its own, a multiple of the pair's.
_ADDRESS_TIMES, _ACCOUNT_TIMES = 10, 5


class Logins:
    """Checks passwords and starts sessions."""

    def __init__(self, database: Database, sessions: Sessions, *, rate_per_minute: int) -> None:
        """`rate_per_minute`: failed attempts of one account from one address in any 60 seconds."""
        self._database, self._sessions, self._rate = database, sessions, rate_per_minute

    async def login(self, email: str, password: str, address: str) -> Credentials:
        """Return a new session's credentials. Raises `InvalidCredentials`, `RateLimited`."""
        found = await self.prove(email, password, address)
        async with self._database.worker() as connection:
            credentials = await self._sessions.start(connection, found.id)
            for membership in await user.memberships(connection, found.id):
                await audit.note(
                    connection,
                    membership.workspace_id,
                    action="user.logged_in",
                    actor_kind="user",
                    actor_id=found.id,
                    target_kind="session",
                    target_id=str(credentials.session_id),
                )
        return credentials

    async def prove(self, email: str, password: str, address: str) -> User:
        """Return whose login this is. Raises `InvalidCredentials`, `RateLimited`.

        A place of each limit is taken before the password is checked and given back when it was right, so that any
        number of guesses at once are no more than guesses one by one.
        """
        plain = email.strip().lower()
        limits = self._limits(plain, address)
        async with self._database.worker() as connection:
            decisions = await rate.take(connection, limits)
            refused = [decision for decision in decisions if not decision.allowed]
            if refused:
                # What is refused is no guess: it must not use up the limits of an account that others log in to.
                taken = [subject for (subject, _), each in zip(limits, decisions, strict=True) if each.allowed]
                await rate.give_back(connection, taken)
            found = await user.by_email(connection, plain)
        if refused:
            longest = max(refused, key=lambda decision: decision.wait)
            raise RateLimited(longest, "too many failed logins in the last minute; try again later")
        correct = await passwords.matches(found.password_hash if found else None, password)
        if found is None or not correct:
            raise InvalidCredentials
        renewed = await passwords.hashed(password) if passwords.outdated(found.password_hash) else None
        async with self._database.worker() as connection:
            await rate.give_back(connection, [subject for subject, _ in limits])
            if renewed is not None:
                await user.set_password_hash(connection, found.id, renewed)
        return found

    def _limits(self, email: str, address: str) -> Sequence[tuple[str, int]]:
        # Hashed: addresses of people do not belong into a table of counters, and may be long.
        account = secret.digest(email).hex()
        return [
            (f"login:{account}:{address}", self._rate),
            (f"login-account:{account}", self._rate * _ACCOUNT_TIMES),
            (f"login-address:{address}", self._rate * _ADDRESS_TIMES),
        ]
