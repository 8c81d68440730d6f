"""`python -m blazz_chat`: serve, migrate, openapi, asyncapi."""

import sys

from blazz_chassis import commands

from blazz_chat.main import build
from blazz_chat.settings import Settings


def main() -> None:
    """Run one command."""
    sys.exit(commands.main("chat", Settings, build, "blazz_chat.migrations"))


if __name__ == "__main__":
    main()
