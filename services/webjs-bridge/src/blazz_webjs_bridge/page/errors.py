"""What can go wrong with a page. `PageError` is the root; each has a stable code and a sentence for people."""

from blazz_chassis.errors import BlazzError


class PageError(BlazzError):
    """The page did not do what it was asked."""

    code, title, status = "page_error", "WhatsApp Web did not do that", 502


class PageTimeout(PageError):
    """The page did not answer in time: whether it did what it was asked is not known."""

    code, title, status = "page_timeout", "WhatsApp Web did not answer in time", 504


class PageGone(PageError):
    """The page, or its browser, is gone: whether it did what it was asked is not known."""

    code, title, status = "page_gone", "WhatsApp Web was closed or has crashed", 503


class PageGarbled(PageError):
    """The page answered something that our protocol does not know."""

    code, title, status = "page_garbled", "WhatsApp Web answered something that we do not understand", 502


NOT_NOW = frozenset({"not_ready", "not_connected"})
"""Reasons of our script that are of the moment: chats are not there, or there is no connection to ask over."""


class PageRefused(PageError):
    """wa-js, or our script, said no: it was not done. `reason` is a code: `msg_not_found`, `chat_not_found`,
    `file_too_large`, `send_failed`, …
    """

    code, title, status = "page_refused", "WhatsApp Web refused it", 422

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(detail or reason)
        self.reason = reason

    @property
    def passing(self) -> bool:
        """Whether the same may be asked again later, as it is."""
        return self.reason in NOT_NOW


class BrowserMissing(PageError):
    """There is no Chromium to run."""

    code, title, status = "browser_missing", "No Chromium was found", 503


class BrowserFailed(PageError):
    """Chromium did not start, or did not load the page."""

    code, title, status = "browser_failed", "Chromium did not start or did not load WhatsApp Web", 503
