"""The command line: `python -m blazz_local up | down | status | logs | servers`."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from blazz_local.errors import LocalError
from blazz_local.folder import Folder
from blazz_local.servers import Servers


def main() -> None:
    """Run one command; a `LocalError` is one message and exit status 1."""
    parser = argparse.ArgumentParser(prog="blazz_local", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Folder.of_clone().path, help="data folder (default: %(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("servers", help="RabbitMQ and PostgreSQL alone, until Ctrl-C; prints their variables")
    arguments = parser.parse_args()
    folder = Folder(arguments.folder.resolve())
    try:
        sys.exit(asyncio.run(_servers(Folder(folder.path / "servers"))))
    except LocalError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


async def _servers(folder: Folder) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    async with Servers(folder, durable=False, say=say) as servers:
        print(f"export BLAZZ_AMQP_URL={servers.rabbitmq.amqp_url}")
        print(f"export BLAZZ_AMQP_MANAGEMENT_URL={servers.rabbitmq.management_url}")
        print(f"export BLAZZ_POSTGRES_URL={servers.postgres.url}", flush=True)
        await stop.wait()
    return 0


if __name__ == "__main__":
    main()
