"""Files that are never seen half written."""

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any, *, mode: int = 0o644) -> None:
    """Write beside the file and rename over it: a reader sees the old content or the new."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The content, or an empty object when there is no such file or it is damaged."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
