"""Write `docs/asyncapi/{service}.json`: what each service consumes and publishes, made from its own code."""

import json
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any

from blazz_chassis.settings import ServiceSettings
from blazz_contracts.topology import SERVICES

FOLDER = Path(__file__).parent.parent / "docs" / "asyncapi"


def document(service: str) -> dict[str, Any]:
    """The document of a service, as `python -m blazz_{service} asyncapi` prints it."""
    package = f"blazz_{service.replace('-', '_')}"
    settings = next(
        each
        for _, each in getmembers(import_module(f"{package}.settings"), isclass)
        if issubclass(each, ServiceSettings) and each is not ServiceSettings
    )
    made: dict[str, Any] = import_module(f"{package}.main").build(settings()).asyncapi()
    return made


def rendered(made: dict[str, Any]) -> str:
    """The committed form."""
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for service in SERVICES:
        (FOLDER / f"{service}.json").write_text(rendered(document(service)), "utf-8")


if __name__ == "__main__":
    main()
