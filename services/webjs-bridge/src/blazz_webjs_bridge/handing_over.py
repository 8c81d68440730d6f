"""The one place where a message goes to the page, and where its outcome is put down."""

from pathlib import Path
from uuid import UUID

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.crashpoints import reach
from blazz_contracts.events import SessionSend

from blazz_webjs_bridge.enclosures import Enclosures
from blazz_webjs_bridge.outcomes import Outcomes, Settled
from blazz_webjs_bridge.page.calls import FindMessage, Page, Send
from blazz_webjs_bridge.page.errors import PageError, PageRefused
from blazz_webjs_bridge.refusals import Refusal, by_page

log = structlog.get_logger(__name__)


class HandingOver:
    """Hands the messages of one session to its page."""

    def __init__(
        self, outcomes: Outcomes, enclosures: Enclosures, *, files: Path, timeout: float, batch_wait: float
    ) -> None:
        """`files`: a folder for files on their way. `timeout`: seconds that the page gets for one message."""
        self._enclosures, self._files, self._timeout = enclosures, files, timeout
        self.settled: Batcher[Settled, None] = Batcher(
            outcomes.settle, name="outcomes", max_items=500, max_wait=batch_wait
        )
        self._at_page = 0

    @property
    def busy(self) -> bool:
        """Whether a message is on its way through the page."""
        return self._at_page > 0

    async def with_file(self, page: Page, event: SessionSend, send: Send) -> None:
        """Hand over what is journalled, with the file that it shows. Raises `Refused` when that cannot be had."""
        async with self._enclosures.added(event, send, self._files) as call:
            await self.hand_over(page, event.message_id, event.attempt, call)

    async def hand_over(self, page: Page, message_id: UUID, attempt: int, call: Send) -> None:
        """Hand over what is journalled. What is not known afterwards stays so."""
        self._at_page += 1
        try:
            sent = await page.call(call, within=self._timeout)
        except PageRefused as error:
            # Refused before or after it was put in line? The page itself knows. What it will take later stays in doubt.
            if not error.passing and await _found(page, call.id) is None:
                await self.settle(message_id, attempt, refused=by_page(error.reason, error.detail))
            return
        except PageError as error:
            log.warning("send_in_doubt", message_id=str(message_id), error=error.code)
            return
        finally:
            self._at_page -= 1
        reach("bridge.answered")
        if sent.ack > 0:
            await self.settle(message_id, attempt, ack=sent.ack)

    async def settle(self, message_id: UUID, attempt: int, *, ack: int = 0, refused: Refusal | None = None) -> None:
        """Write down and tell what became of an attempt."""
        await self.settled.submit(Settled(message_id, attempt, ack, refused))

    async def close(self) -> None:
        """Flush what waits in the batch."""
        await self.settled.flush()
        await self.settled.close()


async def _found(page: Page, provider_id: str) -> object | None:
    try:
        return await page.call(FindMessage(id=provider_id))
    except PageError:
        return provider_id  # nobody knows: it stays in doubt
