"""Where the local stack keeps everything it makes: `.blazz/` of the clone."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

CLONE = Path(__file__).resolve().parents[4]
"""The clone this package runs from (it is always installed in place, by `uv sync`)."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder of one stack; two stacks with different folders share nothing."""

    path: Path

    @classmethod
    def of_clone(cls) -> "Folder":
        """The folder `make up` uses."""
        return cls(CLONE / ".blazz")

    @property
    def name(self) -> str:
        """Short and stable for the path: names the RabbitMQ node and the Docker containers."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:8]

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.path / "logs"

    @property
    def rabbitmq(self) -> Path:
        """Data and configuration of the private node."""
        return self.path / "rabbitmq"

    @property
    def postgres(self) -> Path:
        """Data of the private PostgreSQL."""
        return self.path / "postgres"

    @property
    def credentials(self) -> Path:
        """Generated passwords and keys, readable by the owner alone."""
        return self.path / "secrets.json"

    @property
    def ports(self) -> Path:
        """The private ports, kept so that a restart uses the same."""
        return self.path / "ports.json"

    @property
    def stack_file(self) -> Path:
        """Addresses, processes and the demo; there only while the stack is ready."""
        return self.path / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives; holds its pid."""
        return self.path / "supervisor.pid"

    def create(self) -> None:
        """Make the folder and its parts."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)

    def log(self, process: str) -> Path:
        """The log file of a process."""
        return self.logs / f"{process}.log"
