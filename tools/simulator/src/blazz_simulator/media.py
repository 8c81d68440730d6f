"""Media: what businesses upload and customers send, with Meta's types and sizes."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from pathlib import Path

from .identifiers import numeric_id, token
from .settings import Settings

MB = 1024 * 1024

# Meta, "Media": supported types and sizes. A sticker is an image/webp; 500 KB is the size of an animated one.
_AUDIO = frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"})
_IMAGE = frozenset({"image/jpeg", "image/png"})
_VIDEO = frozenset({"video/mp4", "video/3gp", "video/3gpp"})
_STICKER = frozenset({"image/webp"})
_DOCUMENT = frozenset(
    {
        "text/plain",
        "text/csv",
        "application/pdf",
        "application/vnd.ms-powerpoint",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
_BY_KIND = (("image", _IMAGE, 5 * MB), ("video", _VIDEO, 16 * MB), ("audio", _AUDIO, 16 * MB),
            ("sticker", _STICKER, 500 * 1024))  # fmt: skip
DOCUMENT_MAX = 100 * MB


def base_type(mime_type: str) -> str:
    """Return a MIME type without its parameters: `audio/ogg; codecs=opus` is `audio/ogg`."""
    return mime_type.split(";", 1)[0].strip().lower()


def supported(mime_type: str) -> bool:
    """Say whether WhatsApp takes this type at all."""
    plain = base_type(mime_type)
    return plain in _DOCUMENT or any(plain in types for _, types, _ in _BY_KIND)


def size_limit(mime_type: str) -> int:
    """Return the most bytes of a type, in its own kind of message."""
    plain = base_type(mime_type)
    return next((limit for _, types, limit in _BY_KIND if plain in types), DOCUMENT_MAX)


class Upload:
    """One stored file. `phone_number_id` says whose it is."""

    __slots__ = ("at", "filename", "id", "mime_type", "path", "phone_number_id", "sha256", "size", "urls")

    def __init__(self, phone_number_id: str, mime_type: str, filename: str | None, path: Path, sha256: str) -> None:
        self.id = numeric_id()
        self.phone_number_id = phone_number_id
        self.mime_type = mime_type
        self.filename = filename
        self.path = path
        self.sha256 = sha256
        """Hex digest."""
        self.size = path.stat().st_size
        self.at = time.time()
        self.urls: dict[str, float] = {}
        """Tokens of download URLs with the Unix time until which each is valid."""

    @property
    def kinds(self) -> frozenset[str]:
        """The message types this file can be sent as."""
        plain = base_type(self.mime_type)
        return frozenset({kind for kind, types, _ in _BY_KIND if plain in types} | {"document"})


class Library:
    """All uploads, their bytes in a folder, bounded in bytes: the oldest go first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._temporary: Path | None = None
        self._folder: Path | None = None
        self._uploads: dict[str, Upload] = {}
        self._bytes = 0

    @property
    def folder(self) -> Path:
        """The folder of the files, made on first use, and cleared of what a killed process left."""
        if self._folder is None:
            if self._settings.data is None:
                self._temporary = Path(tempfile.mkdtemp(prefix="blazz-simulator-"))
            self._folder = (self._temporary or self._settings.data or Path()) / "media"
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.iterdir():
                left.unlink()
        return self._folder

    def find(self, media_id: str) -> Upload | None:
        """Return an upload, or None when it is unknown or gone."""
        return self._uploads.get(media_id)

    def add(self, phone_number_id: str, mime_type: str, filename: str | None, data: bytes) -> Upload:
        """Store bytes and return the upload."""
        path = self.folder / token(20)
        path.write_bytes(data)
        return self.adopt(phone_number_id, mime_type, filename, path, hashlib.sha256(data).hexdigest())

    def adopt(self, phone_number_id: str, mime_type: str, filename: str | None, path: Path, sha256: str) -> Upload:
        """Take over a file that lies in the folder already."""
        upload = Upload(phone_number_id, mime_type, filename, path, sha256)
        self._uploads[upload.id] = upload
        self._bytes += upload.size
        while self._bytes > self._settings.media_max_bytes and len(self._uploads) > 1:
            self.remove(next(iter(self._uploads)))
        return upload

    def remove(self, media_id: str) -> bool:
        """Delete an upload; False when there is none."""
        upload = self._uploads.pop(media_id, None)
        if upload is None:
            return False
        self._bytes -= upload.size
        upload.path.unlink(missing_ok=True)
        return True

    def url_token(self, upload: Upload) -> str:
        """Return a new token for a download URL, valid for the time of the settings."""
        now = time.time()
        upload.urls = {known: until for known, until in upload.urls.items() if until > now}
        fresh = token()
        upload.urls[fresh] = now + self._settings.media_url_seconds
        return fresh

    def clear(self) -> None:
        """Delete every upload."""
        for media_id in list(self._uploads):
            self.remove(media_id)

    def close(self) -> None:
        """Remove the temporary folder; one given by the settings stays, without the uploads."""
        self.clear()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
