"""`python -m blazz_notifier`: serve, migrate, openapi, asyncapi."""

import sys

from blazz_chassis import commands

from blazz_notifier.main import build
from blazz_notifier.settings import Settings


def main() -> None:
    """Run one command."""
    sys.exit(commands.main("notifier", Settings, build, "blazz_notifier.migrations"))


if __name__ == "__main__":
    main()
