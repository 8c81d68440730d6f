"""Everything that will be told: by time until it is due, then by account until it is delivered."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable

import aiohttp

from ..accounts import Account, Accounts
from ..message import Message
from ..settings import Settings
from ..web.line import Line
from .deliveries import Deliveries
from .statuses import StatusSettings
from .update import AccountUpdate, MessageUpdate, StatusUpdate, Update

OnStatus = Callable[[Message, str, int | None], None]


class Outbox:
    """The webhooks of all accounts."""

    def __init__(self, accounts: Accounts, settings: Settings, rng: random.Random, on_status: OnStatus) -> None:
        self._accounts = accounts
        self._settings = settings
        self._rng = rng
        self._on_status = on_status
        self._client: aiohttp.ClientSession | None = None
        self._deliveries: dict[str, Deliveries] = {}
        self._due: dict[float, list[tuple[Account | Line, Update]]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}
        self._scheduled: dict[str, int] = {}
        self.statuses = StatusSettings()

    async def open(self) -> None:
        """Open the HTTP client. The bound on connections is kept for each account, so that none can block another."""
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Stop everything; what is pending is gone with the process."""
        self.clear()
        await asyncio.sleep(0)
        if self._client is not None:
            await self._client.close()

    @property
    def client(self) -> aiohttp.ClientSession:
        """The HTTP client of webhooks and handshakes."""
        if self._client is None:
            raise RuntimeError("the outbox is not open")
        return self._client

    def is_full(self, account: Account) -> bool:
        """Say whether an account's receiver is so far behind that new sends must wait."""
        key = account.phone_number_id
        deliveries = self._deliveries.get(key)
        waiting = deliveries.pending if deliveries is not None else 0
        return waiting + self._scheduled.get(key, 0) >= self._settings.webhook_pending_max

    def announce(self, message: Message, delay: float = 0) -> None:
        """Tell the statuses of an accepted send, `delay` seconds later than usual."""
        for status, after in self.statuses.plan(self._rng):
            self._schedule(message.account, StatusUpdate(message, status, message.at + after), after + delay)

    def fail(self, message: Message, code: int, delay: float = 0) -> None:
        """Tell that a message failed."""
        after = self.statuses.delays.get("sent", 0.05)
        self._schedule(message.account, StatusUpdate(message, "failed", message.at + after, code), after + delay)

    def tell_status(self, message: Message, status: str) -> None:
        """Tell a status at once, for example when a person opens the chat."""
        self._schedule(message.account, StatusUpdate(message, status, time.time()), 0)

    def tell_message(self, message: Message, delay: float = 0) -> None:
        """Tell that a customer wrote."""
        self._schedule(message.account, MessageUpdate(message, message.at), delay)

    def tell_waba(self, waba_id: str, update: AccountUpdate) -> None:
        """Tell a change of a whole WABA, once to each receiver that listens to any of its numbers."""
        told: set[str | None] = set()
        for account in self._accounts.of_waba(waba_id):
            if account.callback_url not in told:
                told.add(account.callback_url)
                self._schedule(account, update, 0)

    def tell_account(self, account: Account, update: AccountUpdate) -> None:
        """Tell a change of one number."""
        self._schedule(account, update, 0)

    def _schedule(self, account: Account | Line, update: Update, after: float) -> None:
        window = self.statuses.window
        now = asyncio.get_running_loop().time()
        tick = math.ceil((now + after) / window) * window if after > 0 else 0.0
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = []
            self._timers[tick] = asyncio.get_running_loop().call_at(tick or now, self._fire, tick)
        due.append((account, update))
        key = account.key
        self._scheduled[key] = self._scheduled.get(key, 0) + 1

    def _fire(self, tick: float) -> None:
        due = self._due.pop(tick)
        del self._timers[tick]
        if self.statuses.shuffled:
            self._rng.shuffle(due)
        by_account: dict[str, list[Update]] = {}
        for account, update in due:
            if isinstance(update, StatusUpdate):
                self._on_status(update.message, update.status, update.error)
            key = account.key
            self._scheduled[key] -= 1
            by_account.setdefault(key, []).append(update)
        for key, updates in by_account.items():
            current = self._accounts.find(key)
            if current is not None and current.wants_webhooks:
                self.of(current).put(updates)

    def of(self, account: Account) -> Deliveries:
        """Return the deliveries of an account."""
        deliveries = self._deliveries.get(account.phone_number_id)
        if deliveries is None:
            deliveries = Deliveries(account, self.client, self._settings, self.statuses)
            self._deliveries[account.phone_number_id] = deliveries
        return deliveries

    def account_changed(self, account: Account) -> None:
        """Use an account's new address and secret, also for what waits already."""
        deliveries = self._deliveries.get(account.phone_number_id)
        if deliveries is not None:
            deliveries.account = account
            deliveries.wake()

    def account_removed(self, phone_number_id: str) -> None:
        """Drop what waits for an account that is no more."""
        deliveries = self._deliveries.pop(phone_number_id, None)
        if deliveries is not None:
            deliveries.clear()

    def forget_accounts(self) -> None:
        """Drop what waits for accounts that are no more, and use the others' new addresses."""
        for phone_number_id in list(self._deliveries):
            account = self._accounts.find(phone_number_id)
            if account is None:
                self.account_removed(phone_number_id)
            else:
                self.account_changed(account)

    @property
    def waiting(self) -> int:
        """Updates of all accounts that are not delivered yet, due or not."""
        return sum(self._scheduled.values()) + sum(d.pending for d in self._deliveries.values())

    def use(self, statuses: StatusSettings) -> None:
        """Make and tell statuses another way from now on."""
        self.statuses = statuses
        for deliveries in self._deliveries.values():
            deliveries.how = statuses

    def clear(self) -> None:
        """Forget every webhook that is not delivered, and the counts."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._due.clear()
        self._scheduled.clear()
        for deliveries in self._deliveries.values():
            deliveries.clear()

    def view(self) -> dict[str, object]:
        """Return the counts of GET /_sim/webhooks; times in Unix seconds."""
        each = list(self._deliveries.values())
        return {
            "scheduled": sum(self._scheduled.values()),
            "pending": sum(d.pending for d in each),
            "delivered": sum(d.delivered for d in each),
            "posts": sum(d.posts for d in each),
            "failed": sum(d.failed_tries for d in each),
            "oldest_pending": min((d.oldest for d in each if d.oldest is not None), default=None),
            "accounts": [d.view() for d in each],
        }
