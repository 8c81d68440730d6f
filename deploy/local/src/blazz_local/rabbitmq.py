"""RabbitMQ for a stack: from the environment, from Docker, from the installed package, or installed with apt.

The private node has its own name, ports, cookie and data folder, and an epmd of its own (`ERL_EPMD_PORT`): a RabbitMQ
or Erlang that runs on the machine is neither seen nor touched.
"""

import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp

from blazz_local import debian
from blazz_local.address import with_login
from blazz_local.broker import Management
from blazz_local.credentials import Credentials
from blazz_local.errors import ServerMissing
from blazz_local.folder import Folder
from blazz_local.ports import Ports
from blazz_local.process import MARK
from blazz_local.program import Check, Program
from blazz_local.supervisor import Say

ADMIN = "blazz_admin"
PACKAGED_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
DOCKER_IMAGE = "rabbitmq:4-management"
PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus")
BOOT_SECONDS = 180.0
"""It takes 6 s on an idle two-core machine; a minute on a very busy one, or when Docker must pull the image."""

HOW_TO_GET_ONE = (
    "No RabbitMQ: set BLAZZ_AMQP_URL and BLAZZ_AMQP_MANAGEMENT_URL to one, start Docker, "
    "or install the package: sudo apt-get install rabbitmq-server"
)


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """A RabbitMQ to use: its addresses (with the administrator's password), and what to run for it, in order."""

    amqp_url: str
    management_url: str
    programs: tuple[Program, ...] = ()

    @property
    def user(self) -> str:
        """The administrator's name."""
        return urlsplit(self.amqp_url).username or "guest"


def find(folder: Folder, ports: Ports, credentials: Credentials, say: Say, *, durable: bool = True) -> RabbitMQ:
    """The first that this machine offers. Raises `ServerMissing` when there is none and none can be installed."""
    if docker_answers():
        return in_docker(folder, ports, credentials)
    if not PACKAGED_SERVER.exists():
        say("installing rabbitmq-server with apt (its system service stays off), which takes a minute or two ...")
        if not debian.install("rabbitmq-server", log=folder.log("apt")):
            raise ServerMissing(HOW_TO_GET_ONE)
    return packaged(folder, ports, credentials, durable=durable)


def given(url: str, management_url: str | None) -> RabbitMQ:
    """A server that somebody else runs; nothing is started or stopped for it."""
    parts = urlsplit(url)
    if management_url is None:
        raise ServerMissing(
            "BLAZZ_AMQP_URL is set, but BLAZZ_AMQP_MANAGEMENT_URL is not: users and queues are set up through the "
            "management API, so give its address too (http://user:password@host:15672)"
        )
    if not urlsplit(management_url).username and parts.username:
        management_url = with_login(management_url, unquote(parts.username), unquote(parts.password or ""))
    return RabbitMQ(url, management_url)


def docker_answers() -> bool:
    """Whether there is a Docker client and an engine behind it."""
    if os.environ.get("BLAZZ_NO_DOCKER") or shutil.which("docker") is None:
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def in_docker(folder: Folder, ports: Ports, credentials: Credentials) -> RabbitMQ:
    """A container of the official image, bound to 127.0.0.1, removed when it stops."""
    password = credentials.password("rabbitmq_admin")
    amqp, management = ports.get("amqp"), ports.get("amqp-management")
    container = container_of(folder)

    def remove() -> None:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)

    urls = _urls(password, amqp, management)
    program = Program(
        name="rabbitmq",
        command=[
            *("docker", "run", "--rm", "--name", container, "--hostname", container),
            *("--publish", f"127.0.0.1:{amqp}:5672", "--publish", f"127.0.0.1:{management}:15672"),
            *("--volume", f"{container}:/var/lib/rabbitmq"),
            *("--env", f"RABBITMQ_DEFAULT_USER={ADMIN}", "--env", f"RABBITMQ_DEFAULT_PASS={password}"),
            DOCKER_IMAGE,
        ],
        env=_environment(folder),
        log=folder.log("rabbitmq"),
        ready=serves(urls.management_url, amqp),
        url=_shown(amqp),
        ready_within=BOOT_SECONDS,
        # The client passes it on to the container.
        death_signal=signal.SIGTERM,
        before_start=remove,
        after_kill=remove,
    )
    return RabbitMQ(urls.amqp_url, urls.management_url, (program,))


def container_of(folder: Folder) -> str:
    """The name of the folder's container, and of the volume with its data."""
    return f"blazz-rabbitmq-{folder.name}"


def forget_container(folder: Folder) -> None:
    """Remove the container and its data, if there are any."""
    if docker_answers():
        container = container_of(folder)
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)
        subprocess.run(["docker", "volume", "rm", "--force", container], capture_output=True, check=False)


def packaged(folder: Folder, ports: Ports, credentials: Credentials, *, durable: bool = True) -> RabbitMQ:
    """Debian's package as a private node."""
    password = credentials.password("rabbitmq_admin")
    amqp, management, epmd = ports.get("amqp"), ports.get("amqp-management"), ports.get("epmd")
    home = folder.rabbitmq
    home.mkdir(parents=True, exist_ok=True)
    (home / "rabbitmq.conf").write_text(_configuration(ports, password))
    (home / "rabbitmq.conf").chmod(0o600)
    (home / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
    (home / "rabbitmq-env.conf").write_text("# Empty on purpose: stands before the machine's /etc/rabbitmq.\n")
    env = _environment(folder) | {
        "HOME": str(home),  # the Erlang cookie lives here
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
        "RABBITMQ_NODENAME": f"blazz-{folder.name}@localhost",
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "config"),
        "RABBITMQ_DIST_PORT": str(ports.get("amqp-dist")),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # Not a second process between us and the server: the start script becomes it, as it does under systemd.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
    }
    urls = _urls(password, amqp, management)
    log = folder.log("rabbitmq")
    names = Program(
        name="epmd",
        command=[_epmd(), "-port", str(epmd), "-address", "127.0.0.1"],
        env=env,
        log=folder.log("epmd"),
        ready=_listens(epmd),
        stop_grace=2.0,
    )
    node = Program(
        name="rabbitmq",
        command=[str(PACKAGED_SERVER)],
        env=env,
        log=log,
        ready=serves(urls.management_url, amqp),
        url=_shown(amqp),
        ready_within=BOOT_SECONDS,
        # A graceful stop takes it 6 s; data that is thrown away needs none.
        stop_signal=signal.SIGTERM if durable else signal.SIGKILL,
        # A graceful stop, if the supervisor is killed: the node writes down what it holds.
        death_signal=signal.SIGTERM,
    )
    return RabbitMQ(urls.amqp_url, urls.management_url, (names, node))


def _configuration(ports: Ports, password: str) -> str:
    return "\n".join(
        [
            f"listeners.tcp.local = 127.0.0.1:{ports.get('amqp')}",
            "management.tcp.ip = 127.0.0.1",
            f"management.tcp.port = {ports.get('amqp-management')}",
            "prometheus.tcp.ip = 127.0.0.1",
            f"prometheus.tcp.port = {ports.get('amqp-metrics')}",
            f"default_user = {ADMIN}",
            f"default_pass = {password}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            # A development machine is rarely empty: the default of 40% of its memory would block publishers early.
            "vm_memory_high_watermark.relative = 0.6",
            "disk_free_limit.absolute = 200MB",
            # Statistics that tests and people look at are at most this old (milliseconds).
            "collect_statistics_interval = 1000",
            "",
        ]
    )


def _urls(password: str, amqp: int, management: int) -> RabbitMQ:
    return RabbitMQ(f"amqp://{ADMIN}:{password}@127.0.0.1:{amqp}/", f"http://{ADMIN}:{password}@127.0.0.1:{management}")


def _shown(amqp: int) -> str:
    return f"amqp://127.0.0.1:{amqp}"


def _environment(folder: Folder) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
    return kept | {MARK: str(folder.path)}


def _epmd() -> str:
    found = shutil.which("epmd")
    if found is None:
        candidates = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
        if not candidates:
            raise ServerMissing(
                "rabbitmq-server is there, but Erlang's epmd is not: sudo apt-get install --reinstall erlang-base"
            )
        found = str(candidates[-1])
    return found


def _listens(port: int, host: str = "127.0.0.1") -> Check:
    async def check() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, port)) == 0

    return check


def serves(management_url: str, amqp: int, *, host: str = "127.0.0.1") -> Check:
    """The listener is open and the management API knows the administrator: publishing and setting up both work."""
    listens = _listens(amqp, host)

    async def check() -> bool:
        if not await listens():
            return False
        try:
            async with Management(management_url) as management:
                await management.call("GET", "health/checks/local-alarms")
                await management.call("GET", "vhosts/%2F")
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        return True

    return check
