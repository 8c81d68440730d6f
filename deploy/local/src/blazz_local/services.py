"""The programs of Blazz itself: the five services and the simulator, with the environment each gets on this machine.

Three layers, the later wins: `LOCAL_SETTINGS` (waits that are minutes in production are seconds here), the environment
of the caller (`BLAZZ_LOG_LEVEL=debug make up`), what the stack knows better (addresses, passwords, keys), and last the
overrides a test asks for.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blazz_local.address import with_login
from blazz_local.credentials import Credentials
from blazz_local.databases import SERVICES, ServiceDatabase, name_of
from blazz_local.folder import CLONE, Folder
from blazz_local.http import answers
from blazz_local.ports import Ports
from blazz_local.process import MARK
from blazz_local.program import Program

SIMULATOR = "simulator"
BRIDGE = "webjs-bridge"
WA_JS = CLONE / "services" / "webjs-bridge" / "js"
"""The package.json of wa-js; what it names is fetched at set-up."""
PHONE_NUMBER_ID = "100000000000001"
WABA_ID = "200000000000001"
ACCESS_TOKEN = "EAAlocalsimulator"  # noqa: S105 - the simulator guards nothing
OWNER_URL = "BLAZZ_DATABASE_OWNER_URL"
READY_SECONDS = 120.0
"""A service is ready in about 2 s alone; six that start side by side on two cores take several times that."""

RETRY_SCALE = 1 / 30
"""The retry ladder of 30, 60, 120 s becomes 1, 2, 4 s."""

LOCAL_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "every service": {
        "BLAZZ_LOG_FORMAT": "console",
        "BLAZZ_LOG_LEVEL": "info",
        "BLAZZ_RETRY_SCALE": f"{RETRY_SCALE:.6f}",
        "BLAZZ_OUTBOX_LEASE": "3",
        # Media links of the simulator and of a developer's own server are on this machine.
        "BLAZZ_PUBLIC_HOSTS_ONLY": "false",
    },
    "gateway": {"BLAZZ_GATEWAY_ALIVE_SECONDS": "1"},
    # A campaign whose sender was killed goes on after the lease, which must be at least twice the publish limit.
    "campaign": {
        "BLAZZ_PUBLISH_TIMEOUT": "2",
        "BLAZZ_CAMPAIGN_LEASE": "4",
        "BLAZZ_CAMPAIGN_STALL": "5",
    },
    "chat": {
        "BLAZZ_CHAT_RETRY_WAITS": "[1, 2, 4]",
        "BLAZZ_CHAT_PAIR_BASE": "2",
        "BLAZZ_CHAT_TOMORROW": "30",
        "BLAZZ_CHAT_HOLD_BACK": "3",
        # A send of unknown outcome is sent again some 12 s later: lease (claim, call, margin), then the settle time,
        # which must outlast the simulator's longest wait before it delivers a webhook again (2 s) by far.
        "BLAZZ_CHAT_PROVIDER_TIMEOUT": "4",
        "BLAZZ_CHAT_CLAIM_FRESH": "2",
        "BLAZZ_CHAT_SETTLE": "6",
        # A gateway that was killed comes back under another name: the old one is not waited for longer than this.
        "BLAZZ_CHAT_GATEWAY_GONE": "12",
        # What a session lost is asked for again.
        "BLAZZ_CHAT_SESSION_ASK_AGAIN": "10",
    },
    # A session whose instance was killed is taken over after the lease; a browser that freezes is opened anew.
    "webjs-bridge": {
        "BLAZZ_WEBJS_BRIDGE_LEASE": "4",
        "BLAZZ_WEBJS_BRIDGE_LOOK": "0.25",
        "BLAZZ_WEBJS_BRIDGE_FROZEN": "10",
        "BLAZZ_WEBJS_BRIDGE_DOUBT_EVERY": "1",
    },
}

_SERVERS = ("BLAZZ_AMQP_", "BLAZZ_POSTGRES_", "BLAZZ_DATABASE_")
"""Addresses with an administrator's password, which no service gets."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that the environment of a service is made from."""

    folder: Folder
    ports: Ports
    credentials: Credentials
    amqp_url: str
    databases: Mapping[str, ServiceDatabase]
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def url(self, program: str) -> str:
        """Where a service, or the simulator, answers HTTP."""
        return f"http://127.0.0.1:{self.ports.get(program)}"

    @property
    def pusher_key(self) -> str:
        """The websocket application's public key."""
        return "blazz-local"

    @property
    def callback_url(self) -> str:
        """Where the simulator sends the demo number's webhooks; empty until the channel is there."""
        identifier = self.credentials.get("webhook_identifier")
        return f"{self.url('gateway')}/webhooks/whatsapp/{identifier}" if identifier else ""

    def environment(self, service: str) -> dict[str, str]:
        """The whole environment of a service."""
        caller = {name: value for name, value in os.environ.items() if not name.startswith(_SERVERS)}
        return {
            **LOCAL_SETTINGS["every service"],
            **LOCAL_SETTINGS.get(service, {}),
            **caller,
            **self._fixed(service),
            **self.overrides.get(service, {}),
        }

    @property
    def retry_scale(self) -> float:
        """What the retry ladder is shortened by: all services declare the same queues, so it is one for all."""
        name = "BLAZZ_RETRY_SCALE"
        return float(os.environ.get(name) or LOCAL_SETTINGS["every service"][name])

    def crash_file(self, service: str) -> Path:
        """Where a reliability test writes the name of the point at which the service shall die."""
        return self.folder.path / "crash" / service

    def _fixed(self, service: str) -> dict[str, str]:
        if service == SIMULATOR:
            return self._simulator()
        keys = self.credentials
        return {
            MARK: str(self.folder.path),
            "PYTHONUNBUFFERED": "1",
            "BLAZZ_ENV": "local",
            "BLAZZ_HTTP_HOST": "127.0.0.1",
            "BLAZZ_HTTP_PORT": str(self.ports.get(service)),
            "BLAZZ_AMQP_URL": with_login(self.amqp_url, service, keys.password(f"rabbitmq_{service}")),
            "BLAZZ_CONTEXT_KEY": keys.password("context_key"),
            "BLAZZ_SEAL_KEY": keys.fernet_key("seal_key"),
            "BLAZZ_PUSHER_APP_ID": "blazz",
            "BLAZZ_PUSHER_KEY": self.pusher_key,
            "BLAZZ_PUSHER_SECRET": keys.password("pusher_secret"),
            "BLAZZ_NOTIFIER_WS_PORT": str(self.ports.get("websocket")),
            "BLAZZ_CHAT_GRAPH_URL": self.url(SIMULATOR),
            "BLAZZ_CHAT_MEDIA_PATH": str(self.folder.path / "media"),
            "BLAZZ_WEBJS_BRIDGE_WEB_URL": f"{self.url(SIMULATOR)}/web/",
            "BLAZZ_WEBJS_BRIDGE_PROFILES": str(self.folder.path / "profiles"),
            "BLAZZ_WEBJS_BRIDGE_EVIDENCE": str(self.folder.path / "evidence"),
            "BLAZZ_CRASH_FILE": str(self.crash_file(service)),
            **{f"BLAZZ_{name_of(other).upper()}_URL": self.url(other) for other in SERVICES},
            **self.databases[service].environment,
        }

    def _simulator(self) -> dict[str, str]:
        keys = self.credentials
        return {
            MARK: str(self.folder.path),
            "PYTHONUNBUFFERED": "1",
            "BLAZZ_SIM_HOST": "127.0.0.1",
            "BLAZZ_SIM_PORT": str(self.ports.get(SIMULATOR)),
            "BLAZZ_SIM_PUBLIC_URL": self.url(SIMULATOR),
            "BLAZZ_SIM_DATA": str(self.folder.path / SIMULATOR),
            "BLAZZ_SIM_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
            "BLAZZ_SIM_WABA_ID": WABA_ID,
            "BLAZZ_SIM_ACCESS_TOKEN": ACCESS_TOKEN,
            "BLAZZ_SIM_APP_SECRET": keys.password("app_secret"),
            "BLAZZ_SIM_VERIFY_TOKEN": keys.password("verify_token"),
            "BLAZZ_SIM_CALLBACK_URL": self.callback_url,
        }

    def program(self, service: str) -> Program:
        """How to run a service, or the simulator."""
        url = self.url(service)
        ready = f"{url}/_sim/health" if service == SIMULATOR else f"{url}/readyz"
        return Program(
            name=service,
            command=[sys.executable, "-m", module_of(service), *([] if service == SIMULATOR else ["serve"])],
            # As in production: what serves cannot become the owner of its tables.
            env={name: value for name, value in self.environment(service).items() if name != OWNER_URL},
            log=self.folder.log(service),
            ready=answers(ready),
            url=url,
            ready_within=READY_SECONDS,
            # A little more than a service's own limit for an ordered stop (BLAZZ_SHUTDOWN_TIMEOUT).
            stop_grace=28.0,
        )


def module_of(service: str) -> str:
    """What `python -m` runs."""
    return f"blazz_{name_of(service)}"
