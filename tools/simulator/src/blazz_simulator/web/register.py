"""Which pages are linked to which phones, in a file: after a restart nobody has to scan anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson

from .line import Line

FILE = "linked.sqlite3"


class Register:
    """A row a phone, written when a page is linked or logged out and when a group is made: not with each message.

    Without a folder nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: sqlite3.Connection | None = None

    def open(self) -> Iterator[Line]:
        """Return the phones that are known from before."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(self._folder / FILE, isolation_level=None)
        # A killed process loses nothing of it; only a machine that loses its power may lose the last rows.
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = normal")
        self._file.execute("create table if not exists phones (phone text primary key, last integer, about blob)")
        for last, about in self._file.execute("select last, about from phones order by rowid").fetchall():
            yield Line.restored(orjson.loads(about), last)

    def keep(self, line: Line) -> None:
        """Write down a phone as it is now."""
        if self._file is not None:
            self._file.execute(
                "insert into phones values (?, ?, ?)"
                " on conflict (phone) do update set last = excluded.last, about = excluded.about",
                (line.display_phone_number, line.log.reserved, orjson.dumps(line.kept())),
            )

    def forget(self) -> None:
        """Forget every phone."""
        if self._file is not None:
            self._file.execute("delete from phones")

    def close(self) -> None:
        """Close the file; what comes later is not kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
