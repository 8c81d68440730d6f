"""`python -m blazz_contracts.publish_schemas`: write the JSON Schemas of all events, and refuse to break one."""

import json
import sys
from pathlib import Path

from blazz_contracts.events import ALL
from blazz_contracts.schema import breaks, file_name, schema_of

FOLDER = Path(__file__).parent
SCHEMAS = FOLDER / "schemas"
GOLDEN = FOLDER / "golden"


def rendered(schema: object) -> str:
    """The committed form: sorted, indented, one newline at the end."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def publish() -> list[str]:
    """Write every schema. Returns what would break a published version; then nothing is written for that event."""
    refused: list[str] = []
    for event in ALL:
        path, schema = SCHEMAS / file_name(event), schema_of(event)
        if path.exists():
            found = breaks(json.loads(path.read_text("utf-8")), schema)
            if found:
                refused.extend(f"{event.name} v{event.version}: {line}" for line in found)
                continue
        path.write_text(rendered(schema), "utf-8")
    return refused


if __name__ == "__main__":
    problems = publish()
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        sys.exit("Published versions are a promise. Add fields with defaults, or make a new version of the event.")
