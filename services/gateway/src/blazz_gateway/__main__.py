"""`python -m blazz_gateway`: serve, migrate, openapi, asyncapi, create-workspace, create-token."""

import sys

from blazz_chassis import commands

from blazz_gateway import administration
from blazz_gateway.main import build
from blazz_gateway.settings import GatewaySettings


def main() -> None:
    """Run one command."""
    if len(sys.argv) > 1 and sys.argv[1] in administration.COMMANDS:
        sys.exit(administration.main(sys.argv[1:]))
    sys.exit(commands.main("gateway", GatewaySettings, build, "blazz_gateway.migrations"))


if __name__ == "__main__":
    main()
