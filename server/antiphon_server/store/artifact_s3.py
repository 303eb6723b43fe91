"""Recordings in a bucket of S3, or of a storage that speaks its language.

Endpoint, region and credentials come from the environment, by the names that AWS gave them:
``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and so on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from antiphon_server.store.artifacts import (
    Artifact,
    BadArtifactsUrl,
    NoSuchArtifact,
    StorageFailed,
    checked,
)

PIECE_BYTES = 256 * 1024
ATTEMPT_SECONDS = 30
RETRIES = 2


class Bucket:
    """The objects under ``s3://bucket/prefix``."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        """``endpoint``: where the environment says that the storage is; empty for AWS.

        Raises ``BadArtifactsUrl``.
        """
        bucket, prefix = _parts(url)
        self._is_public = not endpoint.startswith("http://")
        try:
            self._store = S3Store(
                bucket,
                prefix=prefix or None,
                client_options={
                    "allow_http": not self._is_public,
                    "timeout": timedelta(seconds=ATTEMPT_SECONDS),
                },
                retry_config={
                    "max_retries": RETRIES,
                    "retry_timeout": timedelta(seconds=ATTEMPT_SECONDS),
                },
            )
        except BaseError as failure:
            raise BadArtifactsUrl(f"{url}: {failure}") from failure

    async def start(self) -> None:
        """There is nothing to make."""

    async def put(self, file: Path, key: str) -> None:
        """Uploads a file and deletes it. One that vanishes meanwhile was deleted by someone:
        then it is deleted there too. Raises ``NoSuchArtifact`` and ``StorageFailed``.
        """
        attributes = {"Content-Type": "audio/ogg", "Content-Disposition": "attachment"}
        try:
            await obstore.put_async(self._store, checked(key), file, attributes=attributes)
        except (BaseError, OSError) as failure:
            # A bucket that is not there is "not found" as well.
            if await asyncio.to_thread(file.exists):
                raise StorageFailed(str(failure)) from failure
            raise NoSuchArtifact from failure
        try:
            await asyncio.to_thread(file.unlink)
        except FileNotFoundError:
            await self.delete(key)
        except OSError as failure:
            raise StorageFailed(str(failure)) from failure

    async def open(self, key: str) -> Artifact:
        """Finds one. Raises ``NoSuchArtifact`` and ``StorageFailed``."""
        try:
            found = await obstore.head_async(self._store, checked(key))
        except (NotFoundError, FileNotFoundError) as missing:
            raise NoSuchArtifact from missing
        except BaseError as failure:
            raise StorageFailed(str(failure)) from failure
        return Artifact(found["size"], lambda start, end: self._read(key, start, end))

    async def delete(self, key: str) -> None:
        """Deletes one, also if it is not there. Raises ``StorageFailed``."""
        try:
            await obstore.delete_async(self._store, checked(key))
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as failure:
            raise StorageFailed(str(failure)) from failure

    async def link(self, key: str, seconds: int) -> str | None:
        """A signed link to the storage; None where it is reached without encryption, because
        then it is most likely on a network that clients are not on. Raises ``StorageFailed``.
        """
        if not self._is_public:
            return None
        try:
            return await obstore.sign_async(
                self._store, "GET", checked(key), timedelta(seconds=seconds)
            )
        except BaseError as failure:
            raise StorageFailed(str(failure)) from failure

    async def close(self) -> None:
        """Connections end by themselves."""

    async def _read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        if start >= end:
            return
        try:
            got = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for piece in got.stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)
        except (NotFoundError, FileNotFoundError) as missing:
            raise NoSuchArtifact from missing
        except BaseError as failure:
            raise StorageFailed(str(failure)) from failure


def _parts(url: str) -> tuple[str, str]:
    """Bucket and prefix. Raises ``BadArtifactsUrl``."""
    parts = urlsplit(url)
    if "@" in url:
        raise BadArtifactsUrl("credentials belong into the environment, as AWS_ACCESS_KEY_ID")
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise BadArtifactsUrl("it is not of the form s3://bucket/prefix")
    return parts.netloc, parts.path.strip("/")
