"""Journals are read piece by piece, and go with their sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from antiphon_server.store import past_sessions
from antiphon_server.store.database import Database
from antiphon_server.store.journals import AT_ONCE, PIECE_BYTES, Journals
from server.store.told_sessions import AT, MINE, Told, tell


async def _read(journals: Journals, session_id: str) -> bytes | None:
    opened = await journals.open(session_id)
    if opened is None:
        return None
    read = b"".join([piece async for piece in opened.pieces])
    assert len(read) == opened.size
    return read


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith("antiphon.db")}


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 7])
async def test_a_journal_is_read_whole(tmp_path: Path, size: int) -> None:
    """Of whatever size."""
    (tmp_path / "sess_1.jsonl").write_bytes(b"x" * size)
    journals = Journals(tmp_path)
    assert await journals.has("sess_1")
    assert await _read(journals, "sess_1") == b"x" * size


async def test_a_journal_that_grows_is_read_as_far_as_it_was(tmp_path: Path) -> None:
    """Its length was told already."""
    path = tmp_path / "sess_1.jsonl"
    path.write_bytes(b"first\n")
    opened = await Journals(tmp_path).open("sess_1")
    assert opened is not None
    with path.open("ab") as file:
        file.write(b"second\n")
    assert b"".join([piece async for piece in opened.pieces]) == b"first\n"


@pytest.mark.parametrize(
    "session_id", ["sess_2", "../sess_1", "", "a/b", ".", "sess_1\n", "x" * 99]
)
async def test_what_is_no_journal_is_none(tmp_path: Path, session_id: str) -> None:
    """Nothing but a session's name leads to a file, and nothing out of the folder."""
    folder = tmp_path / "journals"
    folder.mkdir()
    (tmp_path / "sess_1.jsonl").write_bytes(b"secret")
    journals = Journals(folder)
    assert not await journals.has(session_id)
    assert await journals.open(session_id) is None
    await journals.delete(session_id)
    assert (tmp_path / "sess_1.jsonl").exists()


async def test_where_none_are_kept_there_are_none(database: Database) -> None:
    """And nothing breaks."""
    journals = Journals(None)
    assert not await journals.has("sess_1")
    assert await journals.open("sess_1") is None
    await journals.delete("sess_1")
    await journals.sweep(database)


async def test_journals_of_deleted_sessions_go(tmp_path: Path, database: Database) -> None:
    """However many; those of other sessions, and of nobody known, stay."""
    tell(database, Told("sess_kept"), *(Told(f"sess_{n}") for n in range(AT_ONCE + 1)))
    for name in ("sess_kept", "sess_unknown", *(f"sess_{n}" for n in range(AT_ONCE + 1))):
        (tmp_path / f"{name}.jsonl").write_bytes(b"said")
    (tmp_path / "notes.txt").write_bytes(b"mine")
    for n in range(AT_ONCE + 1):
        database.now(lambda c, n=n: past_sessions.delete(c, MINE, f"sess_{n}", AT))  # type: ignore[misc]
    await Journals(tmp_path).sweep(database)
    assert _names(tmp_path) == {"notes.txt", "sess_kept.jsonl", "sess_unknown.jsonl"}


async def test_a_journal_that_cannot_be_deleted_is_tried_again(tmp_path: Path) -> None:
    """The next time; it is said in the log."""
    (tmp_path / "sess_1.jsonl").mkdir()
    with structlog.testing.capture_logs() as logs:
        await Journals(tmp_path).delete("sess_1")
    assert [entry["event"] for entry in logs] == ["a journal is not deleted yet"]
