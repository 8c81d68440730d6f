"""Pictures of codes to scan."""

import io
from base64 import b64encode

import segno

_SCALE = 8  # pixels a module: a phone reads it from a screen at arm's length


def png(code: str) -> bytes:
    """A PNG of a code."""
    picture = io.BytesIO()
    segno.make(code, error="m", micro=False).save(picture, kind="png", scale=_SCALE, border=4)
    return picture.getvalue()


def data_address(code: str) -> str:
    """The same as a `data:` address, for an `<img>`."""
    return f"data:image/png;base64,{b64encode(png(code)).decode()}"
