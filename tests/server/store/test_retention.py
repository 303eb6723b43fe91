"""What has been kept long enough goes, wholly, whatever failed before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from antiphon_server.store import past_sessions, retention
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import StorageFailed
from antiphon_server.store.database import Database
from antiphon_server.store.journals import Journals
from antiphon_server.store.retention import Keeping, delete_audio, sweep
from antiphon_server.store.tables import session_records, session_summaries, sessions, usage
from server.store.artifact_contract import file_of
from server.store.ended_sessions import AT, Told, count, tell

DAY = 86_400.0


class _Folder(Folder):
    """A folder that may be away."""

    away = False

    async def delete(self, key: str) -> None:
        if self.away:
            raise StorageFailed("nobody answers")
        await super().delete(key)


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[_Folder]:
    """Where the audio is."""
    made = _Folder(tmp_path / "kept")
    await made.start()
    yield made
    await made.close()


def _keeping(database: Database, folder: Folder, now: float) -> Keeping:
    return Keeping(database, folder, lambda: now)


async def _recorded(database: Database, folder: Folder, tmp_path: Path, *told: Told) -> None:
    tell(database, *told)
    for session in told:
        if session.is_recorded:
            await folder.put(file_of(tmp_path, b"audio"), f"{session.id}.ogg")


async def test_sessions_go_after_their_days_with_their_audio(
    database: Database, folder: _Folder, tmp_path: Path
) -> None:
    """To the second; their usage stays."""
    old = [Told(f"old_{number}", "a", AT, is_recorded=number % 2 == 0) for number in range(5)]
    young = Told("young", "a", AT + 1, is_recorded=True)
    await _recorded(database, folder, tmp_path, *old, young)
    at = AT + 12.5 + 30 * DAY
    assert await sweep(_keeping(database, folder, at), 30) == 0
    assert await sweep(_keeping(database, folder, at + 0.5), 30) == 5
    assert await folder.keys() == ["young.ogg"]
    assert count(database, session_records) == 5
    assert count(database, usage) == 6
    assert await sweep(_keeping(database, folder, at + 0.5), 30) == 0


async def test_journals_and_summaries_go_with_their_sessions(
    database: Database, folder: _Folder, tmp_path: Path
) -> None:
    """Those of sessions that are younger stay."""
    tell(database, Told("old", "a", AT), Told("young", "a", AT + 5 * DAY))
    for name in ("old", "young"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"said")
    now = AT + 31 * DAY
    keeping = Keeping(database, folder, lambda: now, Journals(tmp_path))
    assert await sweep(keeping, 30) == 1
    assert not await keeping.journals.has("old")
    assert await keeping.journals.has("young")
    assert count(database, session_summaries) == 1


async def test_more_than_one_batch_goes_at_once(
    database: Database, folder: _Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several transactions, so that nobody waits for all of it."""
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    tell(database, *(Told(f"s_{number}", "a", is_recorded=True) for number in range(10)))
    assert await sweep(_keeping(database, folder, AT + 40 * DAY), 30) == 10
    kept = sa.select(sessions.c.recording)
    rows = database.now(lambda connection: connection.execute(kept).scalars().all())
    assert rows == [None] * 10


async def test_zero_days_keep_everything_but_finish_deletions(
    database: Database, folder: _Folder, tmp_path: Path
) -> None:
    """What a client deleted is not kept."""
    both = [Told("s_1", "a", is_recorded=True), Told("s_2", "a", is_recorded=True)]
    await _recorded(database, folder, tmp_path, *both)
    database.now(lambda connection: past_sessions.delete(connection, "a", "s_1", AT))
    assert await sweep(_keeping(database, folder, AT + 9_999 * DAY), 0) == 0
    assert await folder.keys() == ["s_2.ogg"]


async def test_a_storage_that_is_away_is_asked_again(
    database: Database, folder: _Folder, tmp_path: Path
) -> None:
    """The sessions are gone for clients at once, the audio as soon as it can be."""
    await _recorded(database, folder, tmp_path, Told("s_1", "a", is_recorded=True))
    keeping = _keeping(database, folder, AT + 40 * DAY)
    folder.away = True
    with structlog.testing.capture_logs() as lines:
        assert await sweep(keeping, 30) == 1
    assert lines[0]["event"] == "audio is not deleted yet"
    assert await folder.keys() == ["s_1.ogg"]
    folder.away = False
    assert await sweep(keeping, 30) == 0
    assert await folder.keys() == []


async def test_one_sessions_audio_can_be_deleted_alone(
    database: Database, folder: _Folder, tmp_path: Path
) -> None:
    """Only of a session that is deleted."""
    three = [Told(f"s_{number}", "a", is_recorded=True) for number in range(3)]
    await _recorded(database, folder, tmp_path, *three)
    for session_id in ("s_0", "s_1"):
        delete = partial(past_sessions.delete, account="a", session_id=session_id, now=AT)
        database.now(delete)
    for session_id in ("s_0", "s_2", "s_9"):
        await delete_audio(_keeping(database, folder, AT), session_id)
    assert await folder.keys() == ["s_1.ogg", "s_2.ogg"]
