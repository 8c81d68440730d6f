"""What all sessions of an instance share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox
from blazz_chassis.owned_queues import OwnedQueues
from blazz_chassis.publisher import Publisher

from blazz_webjs_bridge.enclosures import Enclosures
from blazz_webjs_bridge.page.facts import Fact
from blazz_webjs_bridge.page.web_page import WebPage
from blazz_webjs_bridge.profiles import Profiles
from blazz_webjs_bridge.received_files import ReceivedFiles
from blazz_webjs_bridge.settings import Settings
from blazz_webjs_bridge.standings import Standings

OpenPage = Callable[[UUID, Callable[[Fact], None]], Awaitable[WebPage]]
"""Opens the page of a session; facts come to the function from then on."""


@dataclass(frozen=True, slots=True)
class House:
    """What all sessions of an instance share."""

    settings: Settings
    database: Database
    outbox: Outbox
    publisher: Publisher
    queues: OwnedQueues
    standings: Standings
    profiles: Profiles
    enclosures: Enclosures
    library: ReceivedFiles
    open_page: OpenPage
