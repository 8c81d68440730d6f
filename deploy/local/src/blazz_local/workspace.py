"""One more workspace of a stack that runs, made by the gateway's own command."""

import os
import subprocess
import sys

import psutil

from blazz_local.errors import NotRunning
from blazz_local.folder import Folder
from blazz_local.status import describe

_OWNER_PASSWORD = "BLAZZ_OWNER_PASSWORD"  # noqa: S105 - a name


def create(folder: Folder, *, name: str, email: str, token: str) -> int:
    """Make the workspace, its owner's login and an API token, which is printed; return the command's exit status.

    The password is asked for in the terminal, or `BLAZZ_OWNER_PASSWORD` of the caller. Raises `NotRunning`.
    """
    arguments = ["create-workspace", "--name", name, "--email", email, "--token", token]
    command = [sys.executable, "-m", "blazz_gateway", *arguments]
    return subprocess.run(command, env=_environment(folder), check=False).returncode


def _environment(folder: Folder) -> dict[str, str]:
    """What the gateway runs with: asking for its ports anew would find them taken, and choose others."""
    pid = describe(folder)["processes"]["gateway"]["pid"]
    try:
        environment = psutil.Process(pid).environ()
    except psutil.NoSuchProcess:
        raise NotRunning("the gateway is just starting again: try once more") from None
    except psutil.AccessDenied:
        raise NotRunning("the stack runs as another user: ask as that one") from None
    given = os.environ.get(_OWNER_PASSWORD)
    return environment | ({_OWNER_PASSWORD: given} if given else {})
