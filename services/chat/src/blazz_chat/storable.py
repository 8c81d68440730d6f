"""What PostgreSQL can keep: its text has no NUL character, which JSON allows and nobody can see."""

from typing import Any


def storable(value: Any) -> Any:
    """The same JSON value without NUL characters."""
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [storable(each) for each in value]
    return value
