"""Lists as CSV, as spreadsheets save them: with or without BOM, by comma, semicolon or tab, quoted where need be."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from blazz_chassis.errors import Invalid

from blazz_campaign.phone import digits

PHONE = "phone"
MAX_VARIABLES, MAX_VALUE, MAX_NAME = 50, 1024, 64  # as `CampaignRecipient` has it for lists in JSON
_DELIMITERS = (",", ";", "\t")
_HEADER = 64 * 1024  # characters within which the header must end: fifty names of 64, generously


class BadSpreadsheet(Invalid):
    """The CSV as a whole cannot be read."""

    code, title = "bad_csv", "The CSV cannot be read"


NUL = "it has a NUL character, which no message can carry"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: somebody to write to, or why not."""

    number: int
    """Counted from 1, as the spreadsheet shows it; the header is row 1."""
    phone: str = ""
    """Digits."""
    variables: dict[str, str] | None = None
    refusal: str | None = None


def check(text: str) -> None:
    """Raise `BadSpreadsheet` when the header is of no use; the rest is read when the list is frozen."""
    lines = io.StringIO(text[:_HEADER].removeprefix("\ufeff"), newline="")
    try:
        _Header(next(_reader(lines), []))
    except csv.Error as error:
        raise BadSpreadsheet(f"the first row cannot be read: {error}", field="csv") from error


def rows(parts: Iterable[bytes]) -> Iterator[Row]:
    """Read a CSV that comes in parts of UTF-8. Raises `BadSpreadsheet`."""
    # newline="": a cell may hold line breaks, and the reader wants to see which.
    lines = io.TextIOWrapper(io.BufferedReader(_Parts(parts)), encoding="utf-8-sig", newline="")
    header: _Header | None = None
    number = 0
    try:
        for cells in _reader(lines):
            number += 1
            if header is None:
                header = _Header(cells)
            elif any(cell.strip() for cell in cells):
                yield header.row(number, cells)
    except csv.Error as error:
        raise BadSpreadsheet(
            f"row {number + 1} cannot be read; is a quote never closed? ({error})", field="csv"
        ) from error


class _Header:
    def __init__(self, cells: list[str]) -> None:
        names = [cell.strip() for cell in cells]
        lowered = [name.lower() for name in names]
        if PHONE not in lowered:
            raise BadSpreadsheet("the first row must name the columns, and one of them must be `phone`", field="csv")
        named = [name for name in names if name]
        twice = [name for name in named if lowered.count(name.lower()) > 1]
        if twice:
            raise BadSpreadsheet(f"two columns are named {', '.join(twice)}", field="csv")
        self._phone = lowered.index(PHONE)
        self._variables = [(n, name) for n, name in enumerate(names) if name and n != self._phone]
        self._width = len(cells)
        if len(self._variables) > MAX_VARIABLES:
            raise BadSpreadsheet(f"a list may have {MAX_VARIABLES} columns beside `phone`", field="csv")
        if any("\0" in name for name in named):
            raise BadSpreadsheet("the name of a column has a NUL character", field="csv")
        if any(len(name) > MAX_NAME for name in named):
            raise BadSpreadsheet(f"the name of a column may have {MAX_NAME} characters", field="csv")

    def row(self, number: int, cells: list[str]) -> Row:
        if any(cell.strip() for cell in cells[self._width :]):
            return Row(number, refusal=f"it has {len(cells)} cells, the header has {self._width}")
        written = cells[self._phone] if self._phone < len(cells) else ""
        phone = digits(written)
        if phone is None:
            return Row(number, refusal=refused_phone(written))
        variables = {name: cells[n].strip() for n, name in self._variables if n < len(cells)}
        if any("\0" in value for value in variables.values()):
            return Row(number, refusal=NUL)
        too_long = next((name for name, value in variables.items() if len(value) > MAX_VALUE), None)
        if too_long is not None:
            return Row(number, refusal=f"{too_long} has more than {MAX_VALUE} characters")
        return Row(number, phone, variables)


def refused_phone(written: str) -> str:
    """Say why this is no number."""
    shown = written.strip()
    if not shown:
        return "it has no phone number"
    return f"{shown[:40]!r} is no phone number in international form, such as +4915112345678"


def _reader(lines: Iterator[str]) -> Iterator[list[str]]:
    first = next(lines, "")
    return csv.reader(chain([first], lines), delimiter=_delimiter(first), skipinitialspace=True)


def _delimiter(header: str) -> str:
    """The one that stands most often in the first line, outside of quotes."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


class _Parts(io.RawIOBase):
    """Bytes that come in parts, as a file."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
