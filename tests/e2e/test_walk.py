"""The newcomer's walk works against the stack that `make up` starts."""

from typing import Any

from .walk import walk


async def test_a_newcomer_sends_is_read_is_answered_and_runs_a_campaign(stack: dict[str, Any]) -> None:
    await walk(stack, recipients=1000)
