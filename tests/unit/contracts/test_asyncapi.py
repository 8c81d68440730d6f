"""The committed AsyncAPI documents are the services'."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from blazz_contracts.events import BY_NAME
from blazz_contracts.topology import SERVICES

SCRIPT = Path(__file__).parents[3] / "scripts" / "write_asyncapi.py"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The script that writes them."""
    spec = importlib.util.spec_from_file_location("write_asyncapi", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("service", SERVICES)
async def test_the_committed_document_is_the_services(writer: ModuleType, service: str) -> None:
    committed = (writer.FOLDER / f"{service}.json").read_text("utf-8")
    assert committed == writer.rendered(writer.document(service)), "run `make schemas`"


@pytest.mark.parametrize("service", SERVICES)
def test_a_document_names_only_events_of_the_contract(writer: ModuleType, service: str) -> None:
    messages = json.loads((writer.FOLDER / f"{service}.json").read_text("utf-8"))["components"]["messages"]
    for name in messages:
        assert any(event in name for event in BY_NAME), name
