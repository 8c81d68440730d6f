"""The servers that every integration test runs on."""

from collections.abc import Awaitable, Callable

import aio_pika
import asyncpg
import pytest
from blazz_local import databases


async def test_a_module_has_a_virtual_host_for_itself(vhost: str, make_vhost: Callable[[], Awaitable[str]]) -> None:
    other = await make_vhost()
    assert vhost != other
    async with await aio_pika.connect(vhost) as here, await aio_pika.connect(other) as there:
        await (await here.channel()).declare_queue("mine", durable=True, arguments={"x-queue-type": "quorum"})
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await (await there.channel()).get_queue("mine")


async def test_a_service_database_is_closed_to_the_roles_of_others(make_database) -> None:
    first = await make_database("first", migrate=False)
    second = await make_database("second", migrate=False)
    owner = await asyncpg.connect(first.owner_url)
    await owner.execute("CREATE TABLE thing (id int)")
    await owner.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(second.api_url.replace(second.name, first.name))
    api = await asyncpg.connect(first.api_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await api.fetch("SELECT * FROM thing")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await api.execute("CREATE TABLE other (id int)")
    finally:
        await api.close()


async def test_a_database_remembers_by_which_migrations_it_was_made(make_database, postgres_url: str) -> None:
    name = (await make_database("noting", migrate=False)).name
    assert await databases.noted(postgres_url, name) is None
    await databases.note(postgres_url, name, databases.digest("chat"))
    assert await databases.noted(postgres_url, name) == databases.digest("chat")
    assert databases.digest("chat") != databases.digest("gateway")
