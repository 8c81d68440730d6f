"""Callback data is ours only when it has our form."""

from uuid import UUID, uuid4

import pytest
from blazz_chat.statuses import parse_callback


def test_our_own_is_read_back() -> None:
    message_id = uuid4()
    assert parse_callback(f"{message_id}:3") == (message_id, 3)


@pytest.mark.parametrize(
    "data",
    [
        None,
        "",
        ":",
        "abc",
        "abc:1",
        f"{UUID(int=1)}",
        f"{UUID(int=1)}:",
        f"{UUID(int=1)}:-1",
        f"{UUID(int=1)}:²",
        f"{UUID(int=1)}:99999999999999999999",
    ],
)
def test_anything_else_is_nobodys(data: str | None) -> None:
    assert parse_callback(data) == (None, None)
