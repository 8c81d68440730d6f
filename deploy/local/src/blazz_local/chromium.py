"""Chromium for WhatsApp Web sessions: the one named, Playwright's own, the system's, or installed with apt."""

import os
import shutil
from pathlib import Path

from blazz_local import debian
from blazz_local.errors import ServerMissing
from blazz_local.folder import Folder
from blazz_local.supervisor import Say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Where Playwright keeps what `playwright install chromium` brought.
_PLAYWRIGHT = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright").expanduser()

HOW_TO_GET_ONE = (
    "No Chromium for WhatsApp Web sessions: install the package (sudo apt-get install chromium), run "
    "`.venv/bin/playwright install chromium`, or name one in BLAZZ_WEBJS_BRIDGE_CHROMIUM"
)


def find() -> Path | None:
    """The one that the bridge will find, if there is one."""
    named = os.environ.get("BLAZZ_WEBJS_BRIDGE_CHROMIUM")
    if named:
        return Path(named) if Path(named).is_file() else None
    own = next(_PLAYWRIGHT.glob("chromium-*/*/chrome"), None)
    system = next(filter(None, map(shutil.which, NAMES)), None)
    return own or (Path(system) if system else None)


def ensure(folder: Folder, say: Say) -> None:
    """See to it that there is one. Raises `ServerMissing` when none is there and none can be installed."""
    if find() is not None:
        return
    say("installing chromium with apt, for WhatsApp Web sessions ...")
    if not debian.install("chromium", log=folder.log("apt")) or find() is None:
        raise ServerMissing(HOW_TO_GET_ONE)
