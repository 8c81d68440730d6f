"""What an instance says of itself."""

from blazz_contracts.event import Contract
from pydantic import Field


class HealthView(Contract):
    """One instance of the bridge and what it can carry."""

    instance: str
    version: str = Field(description="Of the package.")
    capacity: int = Field(ge=0, description="WhatsApp Web sessions this instance can hold.")
    sessions: int = Field(ge=0, description="Sessions it holds now.")
