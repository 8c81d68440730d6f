"""The command line: `python -m blazz_local up | down | clean | status | logs | watch | env | workspace | …`."""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import time
from pathlib import Path

from blazz_local import background, definitions, foreground, rabbitmq, status, watch, workspace
from blazz_local.errors import LocalError
from blazz_local.folder import Folder
from blazz_local.lock import held
from blazz_local.logs import Follower, logs_of
from blazz_local.servers import Servers


def main() -> None:
    """Run one command; a `LocalError` is one message and exit status 1."""
    parser = argparse.ArgumentParser(prog="blazz_local", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Folder.of_clone().path, help="data folder (default: %(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything; until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return when ready")
    up.add_argument("--quiet", action="store_true", help="do not print the services' logs")
    up.add_argument("--until-pid", type=int, metavar="PID", help="stop when this process has ended (a test run's)")
    commands.add_parser("down", help="stop what up --detach started")
    commands.add_parser("clean", help="down, and forget all data")
    commands.add_parser("status", help="a table of what runs")
    logs = commands.add_parser("logs", help="follow the logs; until Ctrl-C")
    logs.add_argument("process", nargs="*", help="only these")
    commands.add_parser("watch", help="print what the demo workspace's websocket says; until Ctrl-C")
    commands.add_parser("env", help="print shell variables for the examples of README and docs/api.md")
    workspace_parser = commands.add_parser("workspace", help="make one more workspace; asks for its owner's password")
    workspace_parser.add_argument("--name", required=True)
    workspace_parser.add_argument("--email", required=True, help="its owner's")
    workspace_parser.add_argument("--token", default="local", help="name of its API token (default: %(default)s)")
    commands.add_parser("servers", help="RabbitMQ and PostgreSQL alone, until Ctrl-C; prints their variables")
    commands.add_parser("definitions", help="write deploy/rabbitmq/definitions.json from the contracts")
    arguments = parser.parse_args()
    try:
        sys.exit(_run(arguments, Folder(arguments.folder.resolve())))
    except LocalError as error:
        foreground.say(f"{error.code}: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(arguments: argparse.Namespace, folder: Folder) -> int:
    match arguments.command:
        case "up" if arguments.detach:
            background.up(folder, until_pid=arguments.until_pid)
        case "up":
            return asyncio.run(foreground.run(folder, follow=not arguments.quiet, until_pid=arguments.until_pid))
        case "down":
            background.down(folder)
        case "clean":
            background.down(folder)
            rabbitmq.forget_container(folder)
            shutil.rmtree(folder.path, ignore_errors=True)
        case "status":
            asyncio.run(status.show(folder))
        case "watch":
            asyncio.run(watch.watch(folder))
        case "env":
            print(status.exports_of(status.describe(folder)))
        case "workspace":
            return workspace.create(folder, name=arguments.name, email=arguments.email, token=arguments.token)
        case "logs":
            _logs(folder, arguments.process)
        case "definitions":
            definitions.write()
        case "servers":
            return asyncio.run(_servers(Folder(folder.path / "servers")))
    return 0


def _logs(folder: Folder, processes: list[str]) -> None:
    follower = Follower(logs_of(folder, processes))
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            follower.poll()
            time.sleep(foreground.FOLLOW_SECONDS)


async def _servers(folder: Folder) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    # A second pair in the same folder would take the first one for what a crash left, and end it.
    with held(folder):
        async with Servers(folder, durable=False, say=say) as servers:
            print(f"export BLAZZ_AMQP_URL={servers.rabbitmq.amqp_url}")
            print(f"export BLAZZ_AMQP_MANAGEMENT_URL={servers.rabbitmq.management_url}")
            print(f"export BLAZZ_POSTGRES_URL={servers.postgres.url}", flush=True)
            await stop.wait()
    return 0


if __name__ == "__main__":
    main()
