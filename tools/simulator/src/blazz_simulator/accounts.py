"""Phone numbers of businesses: who owns them, their tokens, and where their webhooks go."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .errors import NotFound
from .identifiers import wa_id
from .settings import Settings


class Account(BaseModel):
    """A business phone number. Several may share a WABA, a token or an app."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    phone_number_id: str = Field(pattern=r"^\d{1,32}$")
    display_phone_number: str
    """Digits only; how people write it is accepted and cleaned."""
    verified_name: str = Field(default="Blazz Demo", max_length=100)
    waba_id: str = Field(pattern=r"^\d{1,32}$")
    app_id: str = Field(default="300000000000001", pattern=r"^\d{1,32}$")
    access_token: str = Field(min_length=1, max_length=1024)
    app_secret: str = Field(min_length=1, max_length=1024)
    verify_token: str = Field(default="sim-verify-token", max_length=1024)
    callback_url: str | None = Field(default=None, max_length=2048)
    """Where webhooks go; none are made without it."""
    subscribed: bool = True
    """False after DELETE /{waba_id}/subscribed_apps: no webhooks are made."""
    verified: bool | None = None
    """Outcome of the last webhook handshake; None before the first."""
    quality_rating: str = "GREEN"
    messaging_limit_tier: str = "TIER_UNLIMITED"
    profile: dict[str, Any] = Field(default_factory=dict)
    """The business profile as the Graph API shows it."""

    @field_validator("display_phone_number")
    @classmethod
    def _digits(cls, value: str) -> str:
        digits = wa_id(value)
        if digits is None:
            raise ValueError("must be a phone number of 7 to 15 digits with its country code")
        return digits

    @field_validator("callback_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @property
    def key(self) -> str:
        """What tells this business from others on a customer's phone."""
        return self.phone_number_id

    @property
    def via(self) -> str:
        """How it sends."""
        return "cloud"

    @property
    def wants_webhooks(self) -> bool:
        """Say whether an app listens to this number."""
        return self.subscribed and self.callback_url is not None


class Accounts:
    """Every business number the simulator knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._default_id = settings.phone_number_id
        self._accounts: dict[str, Account] = {}
        self._tokens: set[str] = set()
        self.clear()

    def clear(self) -> None:
        """Forget all accounts but the default one, which is as in the settings again."""
        settings = self._settings
        self._accounts.clear()
        self.put(
            Account(
                phone_number_id=settings.phone_number_id,
                display_phone_number=settings.display_phone_number,
                verified_name=settings.verified_name,
                waba_id=settings.waba_id,
                app_id=settings.app_id,
                access_token=settings.access_token,
                app_secret=settings.app_secret,
                verify_token=settings.verify_token,
                callback_url=settings.callback_url or None,
            )
        )

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    @property
    def default(self) -> Account:
        """The account of the settings."""
        return self._accounts[self._default_id]

    def find(self, phone_number_id: str) -> Account | None:
        """Return the account of a phone number id, or None."""
        return self._accounts.get(phone_number_id)

    def get(self, phone_number_id: str) -> Account:
        """Return the account of a phone number id; `NotFound` when there is none."""
        account = self._accounts.get(phone_number_id)
        if account is None:
            raise NotFound(f"There is no account {phone_number_id}: see GET /_sim/accounts.")
        return account

    def by_number(self, reference: str) -> Account | None:
        """Return the account with this phone number id or display number, or None."""
        found = self._accounts.get(reference)
        if found is not None:
            return found
        digits = wa_id(reference)
        return next((a for a in self if a.display_phone_number == digits), None)

    def of_waba(self, waba_id: str) -> list[Account]:
        """Return the numbers of a WABA, oldest first."""
        return [a for a in self if a.waba_id == waba_id]

    def of_app(self, app_id: str) -> list[Account]:
        """Return the numbers whose webhooks go to an app."""
        return [a for a in self if a.app_id == app_id]

    def knows_token(self, access_token: str) -> bool:
        """Say whether any account has this access token."""
        return access_token in self._tokens

    def put(self, account: Account) -> None:
        """Add an account, or replace the one with the same phone number id."""
        self._accounts[account.phone_number_id] = account
        self._tokens = {a.access_token for a in self}

    def remove(self, phone_number_id: str) -> None:
        """Forget an account; `NotFound` when there is none."""
        self.get(phone_number_id)
        del self._accounts[phone_number_id]
        self._tokens = {a.access_token for a in self}
