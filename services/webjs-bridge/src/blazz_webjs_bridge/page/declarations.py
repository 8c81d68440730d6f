"""What a release of wa-js says of itself in its `.d.ts` files: signatures of functions, and types of events."""

import re
from pathlib import Path

from blazz_webjs_bridge.page.contract import EVENTS, FUNCTIONS

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_EVENT = re.compile(r"^\s*'([a-z]+\.[a-z_]+)':\s*", re.MULTILINE)


class Declarations:
    """Those of one package folder (`…/@wppconnect/wa-js`)."""

    def __init__(self, package: Path) -> None:
        self._dist = package / "dist"
        self._files = {
            path.relative_to(self._dist): _COMMENT.sub("", path.read_text()) for path in self._dist.rglob("*.d.ts")
        }
        self.bundle = (self._dist / "wppconnect-wa.js").read_text()

    def signature(self, path: str) -> str | None:
        """How a function below `WPP` is declared, in one line; None when it is not (or is no function of a module)."""
        *rooms, name = path.split(".")
        folder = rooms[0] if rooms else ""
        declared = re.compile(
            rf"declare (?:function|const) {re.escape(name)}\b[^;{{]*(?:\{{.*?\n\}}[^;]*)?;", re.DOTALL
        )
        for file, text in sorted(self._files.items()):
            if file.parts[0] == folder and (found := declared.search(text)):
                return " ".join(found[0].split())
        return None

    def event(self, name: str) -> str | None:
        """The type of an event's value, in one line; None when there is no such event."""
        for file, text in self._files.items():
            if file.name != "eventTypes.d.ts":
                continue
            for found in _EVENT.finditer(text):
                if found[1] == name:
                    told = _value(text[found.end() :])
                    return f"{told} {self._named(file.parts[0], told)}".strip()
        return None

    def _named(self, folder: str, told: str, depth: int = 2) -> str:
        """What the types that are only named look like, and those that they name in turn."""
        parts = []
        for name in dict.fromkeys(re.findall(r"\b[A-Z]\w+", told)):
            declared = re.compile(rf"(?:interface|type) {name}\b[^;{{]*(?:;|\{{.*?\n\}})", re.DOTALL)
            for file, text in self._files.items():
                if depth and file.parts[0] == folder and (found := declared.search(text)):
                    parts += [" ".join(found[0].split()), self._named(folder, found[0], depth - 1)]
                    break
        return " ".join(parts).strip()


def _value(text: str) -> str:
    """Up to the semicolon that closes the first type of a text."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "{(<[") - (character in "})]") - (character == ">" and text[index - 1] != "=")
        if character == ";" and depth <= 0:
            return " ".join(text[:index].split())
    return " ".join(text.split())


def missing_events(declared: Declarations) -> list[str]:
    """What our script listens to and a release does not tell, or tells without a field that we read."""
    missing = []
    for event in EVENTS:
        told = declared.event(event.name)
        if told is None or f'"{event.name}"' not in declared.bundle:
            missing.append(f"event {event.name} is gone")
        else:
            missing += [
                f"event {event.name} has no {field}" for field in event.fields if not re.search(rf"\b{field}\??:", told)
            ]
    return missing


def changes(old: Declarations, new: Declarations) -> list[str]:
    """What became of the functions and events that our script uses, for people to read."""
    changed = []
    for function in FUNCTIONS:
        before, after = old.signature(function.path), new.signature(function.path)
        if before != after:
            changed.append(f"{function.path} ({function.why})\n    was {before}\n    is  {after}")
    for event in EVENTS:
        before, after = old.event(event.name), new.event(event.name)
        if before != after:
            changed.append(f"event {event.name}\n    was {before}\n    is  {after}")
    return changed
