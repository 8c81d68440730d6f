"""The command line every service has: serve, migrate, openapi, asyncapi."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from pydantic import ValidationError

from blazz_chassis import logging
from blazz_chassis.errors import BlazzError
from blazz_chassis.settings import ServiceSettings

if TYPE_CHECKING:
    from blazz_chassis.app import Service

S = TypeVar("S", bound=ServiceSettings)

log = structlog.get_logger(__name__)


def main(
    name: str,
    settings_class: type[S],
    assemble: "Callable[[S], Service]",
    migrations: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """Run one command of the service `name`; return the exit status.

    `assemble(settings)` is the composition root; `migrations` the package with the revisions.
    """
    parser = argparse.ArgumentParser(
        prog=f"blazz_{name.replace('-', '_')}", description=f"The {name} service of Blazz."
    )
    commands = parser.add_subparsers(dest="command", title="commands")
    commands.add_parser("serve", help="serve until SIGTERM (this is the default)")
    migrating = commands.add_parser("migrate", help="bring the database up to date, as its owner")
    migrating.add_argument(
        "--step", choices=("pre", "post", "all"), default="all", help="pre: before new code starts; post: after it"
    )
    commands.add_parser("openapi", help="print the OpenAPI document")
    commands.add_parser("asyncapi", help="print the AsyncAPI document")
    asked = parser.parse_args(arguments)
    try:
        settings = settings_class()
        logging.configure(settings, name)
        match asked.command or "serve":
            case "serve":
                assemble(settings).run()
            case "migrate":
                # Alembic is of no use to a process that serves.
                from blazz_chassis import migrate

                migrate.upgrade(name, settings, migrations, asked.step)
            case "openapi":
                _print(assemble(settings).openapi())
            case "asyncapi":
                _print(assemble(settings).asyncapi())
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            sys.stderr.write(f"BLAZZ_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}\n")
        return 2
    except BlazzError as error:
        sys.stderr.write(f"{name}: {error.detail}\n")
        return 2
    return 0


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
