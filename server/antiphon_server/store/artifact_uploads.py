"""Recordings on their way to a storage that may be slow, or not there for a while.

They wait in a folder of this machine and are read from there until they have arrived; what
still waits when the process ends is uploaded by the next one.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import structlog

from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import (
    Artifact,
    Artifacts,
    BadArtifactsUrl,
    NoSuchArtifact,
)

log = structlog.get_logger()

PAUSES = (1.0, 5.0, 30.0, 120.0, 300.0)
"""Seconds before another attempt; the last is used for all that follow."""
WAITING = "waiting"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class Uploads:
    """A storage behind a folder. One recording is uploaded at a time, in parts side by side."""

    def __init__(self, waiting: Folder, kept: Artifacts, pauses: Sequence[float] = PAUSES) -> None:
        self._waiting = waiting
        self._kept = kept
        self._pauses = pauses
        self._keys: deque[str] = deque()
        self._more = asyncio.Event()
        self._under_way: str | None = None
        """The key that is being uploaded."""
        self._upload_ends = asyncio.Lock()
        self._uploading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Makes the folder; begins to upload, first what an earlier process left there."""
        await self._waiting.start()
        await self._kept.start()
        self._keys.extend(await self._waiting.keys())
        self._more.set()
        self._uploading = asyncio.create_task(self._upload(), name="uploads")

    async def put(self, file: Path, key: str) -> None:
        """Returns once the file is in the folder; it is uploaded later."""
        await self._waiting.put(file, key)
        self._keys.append(key)
        self._more.set()

    async def open(self, key: str) -> Artifact:
        """From the folder while it waits, then from the storage. Raises ``NoSuchArtifact``."""
        try:
            waiting = await self._waiting.open(key)
        except NoSuchArtifact:
            return await self._kept.open(key)
        return Artifact(waiting.size, lambda start, end: self._read(waiting, key, start, end))

    async def delete(self, key: str) -> None:
        """In both places. An upload of it that is under way is waited for, or it would put there
        what was deleted.
        """
        await self._waiting.delete(key)
        if key == self._under_way:
            async with self._upload_ends:
                pass
        await self._kept.delete(key)

    async def link(self, key: str, seconds: int) -> str | None:
        """None while it waits; then what the storage says."""
        try:
            await self._waiting.open(key)
        except NoSuchArtifact:
            return await self._kept.link(key, seconds)
        return None

    async def close(self) -> None:
        """Stops uploading; what waits stays."""
        if self._uploading is not None:
            self._uploading.cancel()
            await asyncio.wait([self._uploading])
        await self._kept.close()

    async def _read(
        self, waiting: Artifact, key: str, start: int, end: int
    ) -> AsyncGenerator[bytes, None]:
        has_arrived = False
        try:
            async with aclosing(waiting.read(start, end)) as pieces:
                async for piece in pieces:
                    yield piece
        except NoSuchArtifact:
            # Since it was found; a file that is open does not vanish.
            has_arrived = True
        if has_arrived:
            kept = await self._kept.open(key)
            async with aclosing(kept.read(start, end)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _upload(self) -> None:
        failures = 0
        while True:
            if not self._keys:
                self._more.clear()
                await self._more.wait()
            key = self._under_way = self._keys.popleft()
            try:
                async with self._upload_ends:
                    await self._kept.put(self._waiting.path(key), key)
                failures = 0
            except NoSuchArtifact:
                log.info("recording was deleted before it was uploaded", key=key)
            except Exception as failure:  # noqa: BLE001 (whatever it is, the rest must go on)
                self._keys.append(key)
                pause = self._pauses[min(failures, len(self._pauses) - 1)]
                failures += 1
                log.warning("recording is not uploaded yet", key=key, reason=str(failure))
                await asyncio.sleep(pause)


def storage(url: str, folder: Path, environment: Mapping[str, str] = os.environ) -> Artifacts:
    """The storage that the setting ``artifacts_url`` names: a bucket, or by default a folder.

    Raises ``BadArtifactsUrl``.
    """
    if not url:
        return Folder(folder)
    try:
        from antiphon_server.store.artifact_s3 import Bucket  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as missing:
        raise BadArtifactsUrl(
            f"{url} needs a package that is not installed: pip install 'antiphon[s3]'"
        ) from missing
    endpoint = next(filter(None, (environment.get(name) for name in _ENDPOINTS)), "")
    return Uploads(Folder(folder / WAITING), Bucket(url, endpoint))
