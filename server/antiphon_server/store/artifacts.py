"""Where recordings are kept: what a storage can do, and which one the settings name.

A recording has one key, its file's name. It is put once, whole, and never changed after.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import Struct

from antiphon_protocol.rest_sessions import AUDIO_FORMAT, AUDIO_LAYOUT

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}\.ogg", re.ASCII)


Known = Literal["known", "unknown", "deleted"]
Register = Callable[[str, dict[str, Any]], Awaitable[Known]]
"""Writes down what the recording of a session that has ended holds (``Recorded``), where that
is not known yet; answers whether there is such a session.
"""


class NoSuchArtifact(Exception):
    """It is not there, or not any more."""


class StorageFailed(Exception):
    """A storage cannot do its work now; the message says what it said."""


class BadArtifactsUrl(Exception):
    """A setting that names no storage; the message says what to write."""


class Recorded(Struct, frozen=True):
    """What a recording holds: ``Ended.recording``, and most of the ``metadata`` artifact."""

    file: str
    """Its key."""
    uploaded_chunks: int | None = None
    """Pieces of audio, of both channels, that are in it; None where a crash lost the count."""
    dropped_chunks: int = 0
    """Pieces that could not be written in time, or at all."""
    duration_seconds: float = 0.0
    incomplete: bool = False
    """Whether something is missing: pieces were dropped, the disk was full, the process died."""
    format: str = AUDIO_FORMAT
    channels: int = 2
    channel_layout: str = AUDIO_LAYOUT
    sample_rate: int = 24_000


class Artifact(Struct, frozen=True):
    """One that is there. ``read(start, end)`` gives its bytes from ``start`` to before ``end``."""

    size: int
    read: Callable[[int, int], AsyncGenerator[bytes, None]]


class Artifacts(Protocol):
    """A storage. All but ``start`` raise ``StorageFailed`` where it cannot be reached."""

    async def start(self) -> None:
        """Makes it ready; goes on with what an earlier process left undone."""
        ...

    async def put(self, file: Path, key: str) -> None:
        """Takes a file, which is gone from its place afterwards.

        Raises ``NoSuchArtifact`` where the file is not there.
        """
        ...

    async def open(self, key: str) -> Artifact:
        """Finds one. Raises ``NoSuchArtifact``."""
        ...

    async def delete(self, key: str) -> None:
        """Deletes one, also if it is not there."""
        ...

    async def link(self, key: str, seconds: int) -> str | None:
        """A link to the storage itself that expires; None where only this server can read it."""
        ...

    async def close(self) -> None:
        """Nothing follows."""
        ...


def audio_key(session_id: str) -> str:
    """The key of a session's audio. Raises ``ValueError`` for an id that is none."""
    return checked(f"{session_id}.ogg")


def checked(key: str) -> str:
    """The key, which is safe as a file's name and in a URL. Raises ``ValueError``."""
    if _KEY.fullmatch(key) is None:
        raise ValueError("not a key of an artifact")
    return key
