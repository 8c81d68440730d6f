"""The simulated WhatsApp: all its state, and the few things that happen in it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from .accounts import Account, Accounts
from .faults import Faults
from .identifiers import wamid
from .ledger import Ledger
from .media import Library
from .message import Message
from .phones.phone import Phone
from .phones.phonebook import Phonebook
from .rules import Rules
from .settings import Settings
from .templates import Templates
from .web.delivery import read_by
from .web.line import Line
from .web.state import Web
from .webhooks.outbox import Outbox
from .webhooks.statuses import StatusSettings

RECEIVED_MAX = 100_000
"""Customers' messages that a business can still mark as read."""


class WhatsApp:
    """Everything between the businesses and the customers. In memory, but for who is linked to WhatsApp Web."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rng = random.Random(settings.seed)  # noqa: S311 - dice that can be thrown again, not secrets
        self.accounts = Accounts(settings)
        self.ledger = Ledger(settings.ledger_max)
        self.phones = Phonebook(settings)
        self.media = Library(settings)
        self.templates = Templates()
        self.faults = Faults(self.rng)
        self.rules = Rules()
        self.outbox = Outbox(self.accounts, settings, self.rng, self.phones.set_status)
        self.web = Web(self)
        self.started = time.time()
        self._received: OrderedDict[str, Message] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def new_message(self, account: Account, phone: Phone, type_: str, body: Any, **more: Any) -> Message:
        """Return a new message of a business, not recorded anywhere yet."""
        return Message(
            wamid=wamid(phone.key),
            account=account,
            phone=phone,
            author="business",
            type_=type_,
            body=body,
            at=time.time(),
            **more,
        )

    def accept(self, message: Message) -> None:
        """Take a business's message: from here on it is sent, whatever becomes of the answer."""
        self.ledger.append(message)
        self.phones.add(message)

    def receive(self, message: Message, delay: float = 0) -> None:
        """Take a customer's message and tell the business."""
        self.phones.add(message)
        self._received[message.wamid] = message
        if len(self._received) > RECEIVED_MAX:
            self._received.popitem(last=False)
        self.rules.heard(message.account.key, message.phone, message.at)
        self.outbox.tell_message(message, delay)

    def received(self, message_id: str) -> Message | None:
        """Return a customer's message by its id, or None."""
        return self._received.get(message_id)

    def mark_read_by_business(self, message: Message) -> None:
        """Show the customer blue ticks on a message, and on the earlier ones of the chat, as WhatsApp does."""
        for known in message.phone.messages:
            if (
                known.author == "customer"
                and known.status != "read"
                and known.account.key == message.account.key
                and known.at <= message.at
            ):
                self.phones.set_status(known, "read")

    def read_by_customer(self, phone: Phone) -> list[str]:
        """Let the customer open the chat: tell `read` for what was not read yet, and return those ids.

        Where `read` comes by itself, it is not told a second time.
        """
        phone.unread = 0
        if "read" in self.outbox.statuses.statuses:
            return []
        ids = []
        for message in phone.messages:
            if message.author == "business" and message.status in ("accepted", "sent", "delivered"):
                if isinstance(message.account, Line):
                    read_by(self.web, message.account, message)
                else:
                    self.phones.set_status(message, "read")  # at once, for a second look must not tell it again
                    self.outbox.tell_status(message, "read")
                ids.append(message.wamid)
        return ids

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background until it ends, or a reset or the end of the process."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open(self) -> None:
        """Get ready to serve."""
        self.web.open()
        await self.outbox.open()

    async def close(self) -> None:
        """End everything, without waiting for webhooks."""
        self._cancel_tasks()
        self.phones.close()
        self.web.close()
        await self.outbox.close()
        self.media.close()
        self.web.end()

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def reset(self, accounts: bool = False, templates: bool = False, web: bool = False) -> None:
        """Go back to the start: no messages, webhooks, media or faults, default statuses, rules and web settings.

        Accounts, templates and linked WhatsApp Web devices stay unless named.
        """
        self.web.reset(everything=web)
        self._cancel_tasks()
        self._received.clear()
        self.ledger.clear()
        self.media.clear()
        self.phones.clear()
        self.faults.clear()
        self.rules.clear()
        self.outbox.clear()
        self.outbox.use(StatusSettings())
        self.rng.seed(self.settings.seed)
        if templates:
            self.templates.clear()
        if accounts:
            self.accounts.clear()
            self.outbox.forget_accounts()
