"""The templates of workspaces as sending sees them: one statement a batch, and little of that.

From a number on Meta's Cloud API the template of its own account is sent. WhatsApp Web knows none: there the
workspace's own comes first, then what any of its accounts has.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_contracts.content import Template
from blazz_contracts.message import Failure

from blazz_chat import failures
from blazz_chat.channels import Channel
from blazz_chat.failures import MAX_TITLE
from blazz_chat.template_text import NotRendered, Rendered, rendered

APPROVED = "APPROVED"
OWN = ""
"""The account of a workspace's own templates."""
# How long a template is believed without asking again: a campaign asks once a second, not for each recipient; and a
# change takes effect everywhere within that. Seconds.
_FRESH = 1.0
# Names come from outside, and a template may have 16 KB: they must not fill the memory.
_MOST_KNOWN = 2000

_FIND = """
select w.n, t.status, t.components, (
    select array_agg(distinct o.language order by o.language) from templates o
    where t.status is null and o.workspace_id = w.workspace_id and o.name = w.name
      and (w.waba_id is null or o.waba_id = w.waba_id)) as languages
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
     with ordinality w (workspace_id, waba_id, name, language, n)
left join lateral (
    select c.status, c.components from templates c
    where c.workspace_id = w.workspace_id and c.name = w.name and c.language = w.language
      and (w.waba_id is null or c.waba_id = w.waba_id)
    order by c.waba_id = '' desc, c.status = 'APPROVED' desc, c.updated_at desc, c.id limit 1
) t on true
"""


class Key(NamedTuple):
    """Which template a message names."""

    workspace_id: UUID
    waba_id: str | None
    """None: whichever there is, as on WhatsApp Web."""
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Known:
    """What there is of a template."""

    status: str | None
    """None: there is none of this name in this language."""
    components: list[dict[str, Any]]
    languages: tuple[str, ...] = ()
    """Where there is none: those it is known in."""


def key_of(channel: Channel, content: Template) -> Key:
    """The template that this channel sends under this name."""
    return Key(
        channel.workspace_id,
        None if channel.by_session else channel.waba_id or "?",
        content.name,
        content.language,
    )


class Templates:
    """Reads templates through a short-lived cache."""

    def __init__(self) -> None:
        self._known: dict[Key, tuple[float, Known]] = {}

    async def get(self, connection: Connection, keys: Iterable[Key]) -> dict[Key, Known]:
        """What is known of each; asks once for all that is not known freshly."""
        now, found, missing = time.monotonic(), {}, []
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        for key in set(keys):
            at, known = self._known.get(key, (float("-inf"), None))
            if known is None or now - at > _FRESH:
                missing.append(key)
            else:
                found[key] = known
        if missing:
            rows = await connection.fetch(
                _FIND,
                [key.workspace_id for key in missing],
                [key.waba_id for key in missing],
                [key.name for key in missing],
                [key.language for key in missing],
            )
            for row in rows:
                key = missing[row["n"] - 1]
                found[key] = Known(row["status"], row["components"] or [], tuple(row["languages"] or ()))
                self._known[key] = (now, found[key])
        return found

    def forget(self, workspace_id: UUID) -> None:
        """Drop what is cached of a workspace whose templates have just changed."""
        for key in [key for key in self._known if key.workspace_id == workspace_id]:
            del self._known[key]


def written(known: Known, content: Template) -> dict[str, Any] | Failure:
    """The template message as WhatsApp Web sends it (content of another type), or why it cannot."""
    if known.status is None:
        return _unknown(known, content)
    if known.status != APPROVED:
        return Failure(
            code="template_unavailable",
            title=f"The template {_name(content)} is {known.status}: it can be sent when Meta has approved it.",
        )
    try:
        return rendered(known.components, content.components).content()
    except NotRendered as error:
        return error.failure


def read(known: Known, content: Template) -> Rendered | None:
    """What it says, for people to read, where that is known; WhatsApp itself judges whether it can be sent."""
    if known.status is None:
        return None
    try:
        return rendered(known.components, content.components)
    except NotRendered:
        return None


def _unknown(known: Known, content: Template) -> Failure:
    if not known.languages:
        return failures.TEMPLATE_UNKNOWN
    languages = ", ".join(known.languages)
    title = f"The template {content.name[:80]} is not known here in {content.language}; it is in: {languages}"
    return Failure(code="template_language_unknown", title=title[:MAX_TITLE])


def _name(content: Template) -> str:
    return f"{content.name[:80]} ({content.language})"
