"""The local stack of Blazz: a real RabbitMQ, a real PostgreSQL, the simulator and the five services as child processes.

`Servers` starts the two servers alone (what the integration tests need), `Stack` everything.
"""

from blazz_local.errors import LocalError
from blazz_local.folder import CLONE, Folder
from blazz_local.servers import Given, Servers
from blazz_local.stack import Stack

__all__ = ["CLONE", "Folder", "Given", "LocalError", "Servers", "Stack"]
