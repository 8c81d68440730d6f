"""The 24-hour window: free-form messages are allowed for 24 hours after the customer's last message."""

from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)


def is_closed(last_inbound_at: datetime | None, now: datetime) -> bool:
    """Whether we know that the window is closed.

    A customer we have never heard is not refused: they may have written before this number was connected to us, so
    WhatsApp decides (131047).
    """
    return last_inbound_at is not None and now - last_inbound_at >= WINDOW


def closes_at(last_inbound_at: datetime | None) -> datetime | None:
    """When it closes, or closed."""
    return None if last_inbound_at is None else last_inbound_at + WINDOW
