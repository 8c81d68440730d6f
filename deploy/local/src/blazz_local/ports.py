"""Private ports: picked free, remembered, and outside the range the kernel hands out to connections.

A port from the ephemeral range may be taken as the local end of somebody's connection while a service restarts, so
these come from below it.
"""

import socket
from pathlib import Path

from blazz_local.atomic import read_json, write_json
from blazz_local.folder import Folder

FIRST, LAST = 17000, 31999
"""Below Linux's default ephemeral range (32768–60999), above the well-known servers."""


class Ports:
    """`get(name)` gives the same free port for a name, run after run."""

    def __init__(self, folder: Folder) -> None:
        self._path = folder.ports
        self._known: dict[str, int] = {k: v for k, v in read_json(folder.ports).items() if isinstance(v, int)}
        self._given: dict[str, int] = {}
        # Each folder starts its search in a place of its own, so that two stacks that start at once rarely meet.
        self._next = FIRST + int(folder.name, 16) % (LAST - FIRST)
        self._last = min(LAST, _ephemeral_start() - 1)

    def get(self, name: str) -> int:
        """The port remembered for the name if it is free, else the next free one."""
        if name in self._given:
            return self._given[name]
        port = self._known.get(name)
        if port is None or port in self._given.values() or not is_free(port):
            port = self._search()
        self._given[name] = self._known[name] = port
        write_json(self._path, self._known)
        return port

    def _search(self) -> int:
        taken = set(self._known.values()) | set(self._given.values())
        for _ in range(LAST - FIRST):
            port, self._next = self._next, self._next + 1
            if self._next > self._last:
                self._next = FIRST
            if port <= self._last and port not in taken and is_free(port):
                return port
        raise OSError(f"no free port between {FIRST} and {self._last}")


def is_free(port: int) -> bool:
    """Whether a server could listen there now, on 127.0.0.1 or on all addresses."""
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - tried, not served
        with socket.socket() as probe:
            # As servers do: connections of the last run in TIME_WAIT are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def _ephemeral_start() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return LAST + 1
