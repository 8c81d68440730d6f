"""Browser profiles: one folder a session, on storage that survives restarts and, with many instances, is shared."""

import asyncio
import shutil
from pathlib import Path
from uuid import UUID


class Profiles:
    """The folder of all profiles."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, session_id: UUID) -> Path:
        """The profile of one session; made by the browser."""
        return self._folder / str(session_id)

    def files(self, session_id: UUID) -> Path:
        """Where files on their way to or from the page lie for a moment."""
        return self._folder / f"{session_id}.files"

    async def prepare(self, session_id: UUID) -> None:
        """Make what the browser needs; nothing is left of files that a crash forgot."""

        def make() -> None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.rmtree(self.files(session_id), ignore_errors=True)
            self.files(session_id).mkdir(mode=0o700)

        await asyncio.to_thread(make)

    async def forget(self, session_id: UUID) -> None:
        """Remove a profile: the linked device with all it knows."""
        for path in (self.of(session_id), self.files(session_id)):
            await asyncio.to_thread(shutil.rmtree, path, True)
