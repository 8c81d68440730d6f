"""Lists, a page at a time."""

from typing import Generic, TypeVar

from pydantic import Field

from blazz_contracts.event import Contract

T = TypeVar("T")


class Page(Contract, Generic[T]):
    """Some of a list, and how to ask for more."""

    items: list[T]
    next: str | None = Field(default=None, description="Give it as `cursor` to get what follows; none at the end.")
