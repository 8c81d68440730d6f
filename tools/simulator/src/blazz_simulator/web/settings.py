"""How this WhatsApp Web behaves: `PUT /_sim/web/settings`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..identifiers import wa_id

ABSENT_PREFIX = "999"
"""Numbers that begin so are not on WhatsApp: no country has this code (ITU reserves it)."""


class WebSettings(BaseModel):
    """What a PUT does not name has its default."""

    model_config = ConfigDict(extra="forbid")

    lid: bool = True
    """One-to-one chats are `@lid`, as on the real page now; false makes them `@c.us`."""
    absent: list[str] = Field(default_factory=list)
    """Numbers that are not on WhatsApp, beside those that begin with 999."""
    code_seconds: float = Field(default=20, ge=0.2, le=3600)
    """Seconds until a QR code is replaced."""
    first_code_seconds: float = Field(default=60, ge=0.2, le=3600)
    """Seconds of the first one."""
    codes: int = Field(default=6, ge=1, le=100)
    """Codes until the page goes idle and waits for a click."""
    pairing_seconds: float = Field(default=195, ge=0.2, le=3600)
    """Seconds a pairing code is good for."""
    history_chats: int = Field(default=1000, ge=0, le=100_000)
    """Chats given to a page when it is linked, the last active ones."""
    history_messages: int = Field(default=10, ge=0, le=1000)
    """Messages of each of them; the page asks for older ones when somebody looks."""

    ciphertext: float = Field(default=0, ge=0, le=1)
    """Share of the messages that arrive encrypted first and are readable a moment later: their event comes twice."""

    @field_validator("absent")
    @classmethod
    def _digits(cls, value: list[str]) -> list[str]:
        numbers = [wa_id(number) for number in value]
        if None in numbers:
            raise ValueError("each must be a phone number of 7 to 15 digits with its country code")
        return [number for number in numbers if number is not None]

    def on_whatsapp(self, number: str) -> bool:
        """Say whether a number is on WhatsApp."""
        return not number.startswith(ABSENT_PREFIX) and number not in self.absent
