"""What every storage of recordings must do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon_server.store.artifacts import Artifact, Artifacts, NoSuchArtifact

KEY = "sess_1.ogg"
BYTES = bytes(range(256)) * 3_000
"""More than is read at once."""


async def contents(artifact: Artifact, start: int = 0, end: int | None = None) -> bytes:
    """The bytes of a range."""
    end = artifact.size if end is None else end
    return b"".join([piece async for piece in artifact.read(start, end)])


def file_of(folder: Path, raw: bytes, name: str = "a file") -> Path:
    """A file to be put."""
    path = folder / name
    path.write_bytes(raw)
    return path


async def check_storage(made: Callable[[], Artifacts], folder: Path) -> None:
    """The whole contract; ``made`` makes the same storage again, as another process does."""
    storage = made()
    await storage.start()
    await _puts_and_reads(storage, folder)
    await _refuses(storage)
    await storage.close()
    again = made()
    await again.start()
    assert (await again.open(KEY)).size == len(BYTES)
    await _deletes(again)
    await again.close()


async def _puts_and_reads(storage: Artifacts, folder: Path) -> None:
    """The file is gone from its place; every range of it can be read, also twice at once."""
    await storage.delete(KEY)
    with pytest.raises(NoSuchArtifact):
        await storage.open(KEY)
    with pytest.raises(NoSuchArtifact):
        await storage.put(folder / "nothing", KEY)
    file = file_of(folder, BYTES)
    await storage.put(file, KEY)
    assert not file.exists()
    artifact = await storage.open(KEY)
    assert artifact.size == len(BYTES)
    assert await contents(artifact) == BYTES
    for start, end in ((0, 1), (5, 5), (300_000, 300_001), (len(BYTES) - 1, len(BYTES))):
        assert await contents(artifact, start, end) == BYTES[start:end]
    first, second = artifact.read(0, 600_000), artifact.read(100, 700_000)
    got = [await anext(first), await anext(second)]
    assert BYTES.startswith(got[0])
    assert BYTES[100:].startswith(got[1])
    await first.aclose()
    await second.aclose()


async def _refuses(storage: Artifacts) -> None:
    """Keys that are none, before anything is touched."""
    for wrong in ("../sess_1.ogg", "a/b.ogg", ".ogg", "", "sess_1.wav", "a\n.ogg", "x" * 200):
        with pytest.raises(ValueError, match="not a key"):
            await storage.open(wrong)
        with pytest.raises(ValueError, match="not a key"):
            await storage.delete(wrong)
        with pytest.raises(ValueError, match="not a key"):
            await storage.put(Path("nothing"), wrong)


async def _deletes(storage: Artifacts) -> None:
    """It is gone, for whoever has it open too; once more does no harm."""
    artifact = await storage.open(KEY)
    await storage.delete(KEY)
    await storage.delete(KEY)
    with pytest.raises(NoSuchArtifact):
        await storage.open(KEY)
    with pytest.raises(NoSuchArtifact):
        await contents(artifact)
