"""`python -m blazz_webjs_bridge`: serve, migrate, openapi, asyncapi."""

import sys

from blazz_chassis import commands

from blazz_webjs_bridge.main import build
from blazz_webjs_bridge.settings import Settings


def main() -> None:
    """Run one command."""
    sys.exit(commands.main("webjs-bridge", Settings, build, "blazz_webjs_bridge.migrations"))


if __name__ == "__main__":
    main()
