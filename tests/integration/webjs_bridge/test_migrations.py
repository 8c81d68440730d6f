"""The tables that migrations make are the ones that the models say."""

from typing import Any

from tests.support.tables import differences


async def test_the_migrations_make_what_the_models_say(make_database: Any) -> None:
    assert await differences("blazz_webjs_bridge.models", (await make_database("webjs-bridge")).owner_url) == "[]"
