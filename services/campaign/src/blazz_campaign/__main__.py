"""`python -m blazz_campaign`: serve, migrate, openapi, asyncapi."""

import sys

from blazz_chassis import commands

from blazz_campaign.main import build
from blazz_campaign.settings import Settings


def main() -> None:
    """Run one command."""
    sys.exit(commands.main("campaign", Settings, build, "blazz_campaign.migrations"))


if __name__ == "__main__":
    main()
