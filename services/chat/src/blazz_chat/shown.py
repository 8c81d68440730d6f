"""What to show of a message in a list: the text, a caption, a name."""

from typing import Any

MAX_SHOWN = 4096
REVOKED = "This message was deleted"


def shown(kind: str, content: dict[str, Any]) -> str:
    """One line for people, from content of any type, ours or WhatsApp's own; empty when it says nothing in words."""
    text = _shown(kind, content)
    return text[:MAX_SHOWN] if isinstance(text, str) else ""


def _shown(kind: str, content: dict[str, Any]) -> Any:
    if kind == "text":
        return content.get("body")
    if kind == "reaction":
        return content.get("emoji")
    if kind == "template":
        return content.get("name")
    if kind == "location":
        return content.get("name") or content.get("address")
    if kind == "call":
        return content.get("text") or ("Missed video call" if content.get("video") is True else "Missed call")
    if kind == "revoke":
        return REVOKED
    if kind == "edit":
        return content.get("text") or content.get("body") or content.get("caption")
    if kind == "button":
        return content.get("text")
    if kind == "interactive":
        return _interactive(content)
    return content.get("caption") or content.get("filename")


def _interactive(content: dict[str, Any]) -> Any:
    for reply in ("button_reply", "list_reply"):
        if isinstance(content.get(reply), dict):
            return content[reply].get("title")
    inner = content.get("interactive")
    if isinstance(inner, dict) and isinstance(inner.get("body"), dict):
        return inner["body"].get("text")
    return None
