"""The tables that migrations make are the ones that the models say."""

from typing import Any

from tests.support.tables import differences


async def test_the_migrations_make_what_the_models_say(make_database: Any) -> None:
    assert await differences("blazz_campaign.models", (await make_database("campaign")).owner_url) == "[]"
