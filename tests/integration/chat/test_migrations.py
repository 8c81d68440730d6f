"""The tables that migrations make are the ones that the models say."""

from tests.support.tables import differences

from .conftest import World


async def test_the_migrations_make_what_the_models_say(world: World) -> None:
    assert await differences("blazz_chat.models", world.house.database.owner_url) == "[]"
