"""What a channel's name says: who may subscribe, and which workspace it belongs to."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

PUBLIC_WORKSPACE = UUID(int=0)
"""Channels that belong to no workspace are of this one on the broker."""

MAX_LENGTH = 200
_VALID = re.compile(rf"[A-Za-z0-9_\-=@,.;]{{1,{MAX_LENGTH}}}\Z")  # Pusher's alphabet
_WORKSPACE = re.compile(r"[a-z-]+\.([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:\.|\Z)")


class ChannelKind(StrEnum):
    """Who may subscribe."""

    PUBLIC = "public"
    PRIVATE = "private"
    PRESENCE = "presence"
    ENCRYPTED = "private-encrypted"


_PREFIXES = (  # the longer one first
    ("private-encrypted-", ChannelKind.ENCRYPTED),
    ("private-", ChannelKind.PRIVATE),
    ("presence-", ChannelKind.PRESENCE),
)


@dataclass(frozen=True, slots=True)
class ChannelName:
    """A channel's name, read. `topic` is what stands before the workspace, such as `workspace` or `chat`."""

    name: str
    kind: ChannelKind
    workspace_id: UUID
    topic: str

    @property
    def signed(self) -> bool:
        """Whether a signature is needed to subscribe."""
        return self.kind is not ChannelKind.PUBLIC


@lru_cache(maxsize=8192)
def read(name: str) -> ChannelName:
    """Read a channel's name; raise ValueError when it is none.

    A private or presence channel `{prefix}-{topic}.{workspace}[.{rest}]` belongs to that workspace: what is said on it
    travels with the workspace's own events. Any other name belongs to `PUBLIC_WORKSPACE`, whoever may subscribe.
    """
    if _VALID.match(name) is None:
        raise ValueError("a channel's name is 1 to 200 of the characters A-Z a-z 0-9 _ - = @ , . ;")
    for prefix, kind in _PREFIXES:
        if name.startswith(prefix):
            found = _WORKSPACE.match(name, len(prefix))
            if found is None:
                return ChannelName(name, kind, PUBLIC_WORKSPACE, "")
            return ChannelName(name, kind, UUID(found[1]), name[len(prefix) : found.start(1) - 1])
    return ChannelName(name, ChannelKind.PUBLIC, PUBLIC_WORKSPACE, "")
