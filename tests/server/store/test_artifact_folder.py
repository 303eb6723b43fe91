"""A folder of this machine as a storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_server.store.artifact_folder import PIECE_BYTES, Folder
from antiphon_server.store.artifacts import StorageFailed
from server.store.artifact_contract import BYTES, KEY, check_storage, contents, file_of


async def test_a_folder_keeps_the_contract(tmp_path: Path) -> None:
    """What is put is there whole, for the next process too, until it is deleted."""
    await check_storage(lambda: Folder(tmp_path / "kept"), tmp_path)


async def test_only_the_owner_may_look_into_it(tmp_path: Path) -> None:
    """The folder that it makes is closed to others."""
    folder = Folder(tmp_path / "new" / "kept")
    await folder.start()
    assert (tmp_path / "new" / "kept").stat().st_mode & 0o777 == 0o700


async def test_it_lists_what_it_has(tmp_path: Path) -> None:
    """Recordings, and nothing else that lies there."""
    folder = Folder(tmp_path)
    for name in ("b.ogg", "a.ogg", "notes.txt"):
        file_of(tmp_path, b"x", name)
    assert await folder.keys() == ["a.ogg", "b.ogg"]


async def test_it_is_read_in_pieces(tmp_path: Path) -> None:
    """None is larger than what one hop to a thread reads."""
    folder = Folder(tmp_path)
    await folder.put(file_of(tmp_path, BYTES), KEY)
    artifact = await folder.open(KEY)
    sizes = [len(piece) async for piece in artifact.read(0, artifact.size)]
    assert sizes == [PIECE_BYTES, PIECE_BYTES, len(BYTES) - 2 * PIECE_BYTES]


async def test_a_file_that_became_shorter_ends_early(tmp_path: Path) -> None:
    """It does not hang, nor make anything up."""
    folder = Folder(tmp_path)
    await folder.put(file_of(tmp_path, b"12345678"), KEY)
    artifact = await folder.open(KEY)
    folder.path(KEY).write_bytes(b"123")
    assert await contents(artifact) == b"123"


async def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    """A folder that is none."""
    file_of(tmp_path, b"", "a file")
    wrong = Folder(tmp_path / "a file")
    for doing in (wrong.start(), wrong.open(KEY), wrong.delete(KEY)):
        with pytest.raises(StorageFailed):
            await doing


async def test_it_has_no_links_of_its_own(tmp_path: Path) -> None:
    """Only this server can read it."""
    folder = Folder(tmp_path)
    await folder.put(file_of(tmp_path, b"x"), KEY)
    assert await folder.link(KEY, 60) is None
