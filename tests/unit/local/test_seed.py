"""What `make up` says of the demo workspace."""

from pathlib import Path
from typing import Any

import pytest
from blazz_local import seed
from blazz_local.credentials import Credentials
from blazz_local.folder import Folder
from blazz_local.ports import Ports
from blazz_local.services import Site

IDENTITY = {"workspace_id": "w", "api_token": "blz_t"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose services answer all that is asked."""
    folder = Folder(tmp_path)
    folder.create()

    async def thing(*_: Any, **__: Any) -> dict[str, Any]:
        return {"id": "i", "webhook_identifier": "h", **IDENTITY}

    for name in ("_gateway", "_channel", "_call"):
        monkeypatch.setattr(seed, name, thing)
    return Site(folder, Ports(folder), Credentials(folder), "amqp://", {})


@pytest.mark.parametrize(
    ("identity", "works", "said"),
    [
        (None, True, "creating the demo workspace ..."),
        (IDENTITY, False, "creating the demo workspace ..."),
        (IDENTITY, True, "the demo workspace is there"),
    ],
)
async def test_the_demo_is_said_to_be_created_only_when_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch, identity: dict[str, str] | None, works: bool, said: str
) -> None:
    async def knows(*_: Any) -> bool:
        return works

    monkeypatch.setattr(seed, "_knows", knows)
    site.credentials.keep("demo_identity", identity)
    lines: list[str] = []
    await seed.seed(site, lines.append)
    assert lines == [said]
