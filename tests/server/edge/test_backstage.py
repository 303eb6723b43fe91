"""What a node keeps beside its calls: made, started, closed, and found again."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from antiphon_protocol.audio import PCM
from antiphon_server.call import records as r
from antiphon_server.call.journal import Journal
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.edge.backstage import Backstage, StartFailed
from antiphon_server.settings import read
from antiphon_server.store.tables import sessions
from server.store.ended_sessions import Told, tell

WAIT_SECONDS = 20.0


def made(folder: Path, **variables: str) -> Backstage:
    """That of a server with this data folder, not started."""
    settings = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    return Backstage(read({"ANTIPHON_DATA_DIR": str(folder), **settings}))


@asynccontextmanager
async def started(folder: Path, **variables: str) -> AsyncIterator[Backstage]:
    """As ``made``, started; closed at the end."""
    stage = made(folder, **variables)
    try:
        await stage.start()
        yield stage
    finally:
        await stage.close()


def _started(seq: int = 0) -> r.Started:
    return r.Started(
        seq=seq, at=time.time(), account="mine", key_id=None, agent_id=None, config={"id": "s"}
    )


def _ended(seq: int = 1) -> r.Ended:
    return r.Ended(
        seq=seq,
        at=time.time(),
        reason="client_ended",
        public_reason="client_end",
        duration_seconds=1.0,
        audio_seconds=0.5,
    )


async def test_a_new_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The folder, the database, the key: what people said is in there."""
    folder = tmp_path / "a" / "data"
    async with started(folder):
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert {"antiphon.db", "secret.key", "spool"} <= {path.name for path in folder.iterdir()}


async def test_what_was_recorded_is_in_the_database_after_the_end(tmp_path: Path) -> None:
    """And is there for the next process, which opens what this one sealed."""
    async with started(tmp_path) as stage:
        await stage.ledger.record("sess_1", _started())
        await stage.ledger.record("sess_1", _ended())
        sealed = stage.vault.seal(b"secret", "context")
    async with started(tmp_path) as stage:
        rows = await stage.database.read(
            lambda connection: connection.execute(sa.select(sessions.c.id, sessions.c.status)).all()
        )
        assert [(row.id, row.status) for row in rows] == [("sess_1", "completed")]
        assert stage.vault.open(sealed, "context") == b"secret"


async def test_what_was_made_may_be_closed_without_a_start(tmp_path: Path) -> None:
    """Also twice: a start that fails is closed by whoever began it."""
    stage = made(tmp_path)
    await stage.close()
    await stage.close()
    async with started(tmp_path):
        pass


async def test_a_spool_that_cannot_be_is_told(tmp_path: Path) -> None:
    """With the setting; nothing is left running."""
    stage = made(tmp_path)
    (tmp_path / "spool").touch()
    with pytest.raises(StartFailed, match="ANTIPHON_DATA_DIR"):
        await stage.start()
    await stage.close()


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    """The message says what to do."""
    stage = made(tmp_path)
    stage.database.now(
        lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num='z'"))
    )
    stage.database.dispose()
    with pytest.raises(StartFailed, match="newer Antiphon"):
        made(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    made(tmp_path).database.dispose()
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(StartFailed, match="chmod 600"):
        made(tmp_path)


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"DATABASE_URL": "mysql://me:canary@there/x"}, "postgresql://"),
        ({"ARTIFACTS_URL": "ftp://there/x"}, "ANTIPHON_ARTIFACTS_URL"),
        ({"SECRET_KEYS": "canary"}, "ANTIPHON_SECRET_KEYS"),
        ({"OUTBOUND_ALLOW": "no port"}, "ANTIPHON_OUTBOUND_ALLOW"),
    ],
)
def test_a_setting_that_cannot_be_is_told(
    variables: dict[str, str], word: str, tmp_path: Path
) -> None:
    """Which, and never what secret was in it."""
    with pytest.raises(StartFailed) as failed:
        made(tmp_path, **variables)
    assert word in str(failed.value)
    assert "canary" not in str(failed.value)


async def test_calls_are_journalled_where_that_is_wanted(tmp_path: Path) -> None:
    """One file for each, in a folder for nobody else; without the setting none."""
    folder = tmp_path / "journals"
    async with started(tmp_path / "data") as stage:
        assert stage.journal() is None
    async with started(tmp_path / "data", JOURNAL_DIR=str(folder)) as stage:
        open_journal = stage.journal()
        assert open_journal is not None
        journal = Journal(open_journal("sess_1"), lambda: 0.0)
        journal.stepped(v.VoiceStarted(), Manners(), ())
        journal.close()
        assert [path.name for path in folder.iterdir()] == ["sess_1.jsonl"]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_calls_are_recorded_where_that_is_wanted(tmp_path: Path) -> None:
    """Their audio is kept beside the database; without the setting none is."""
    async with started(tmp_path) as stage:
        assert stage.recording() is None
    async with started(tmp_path, RECORDING="1") as stage:
        await stage.ledger.record("sess_1", _started())
        record = stage.recording()
        assert record is not None
        recording = record("sess_1", PCM, PCM)
        recording.user(bytes(PCM.size(1000)), 0.0)
        await recording.finish()
        await stage.ledger.record("sess_1", _ended())
        assert await stage.ledger.settled(WAIT_SECONDS)
        await recording.keep()
        assert [path.name for path in (tmp_path / "recordings").glob("*.ogg")] == ["sess_1.ogg"]


async def test_old_sessions_are_deleted_at_the_start(tmp_path: Path) -> None:
    """Those that ended longer ago than is kept, and no others."""
    stage = made(tmp_path)
    recent = Told("recent", "mine", at=time.time() - 3_600)
    tell(stage.database, Told("old", "mine"), recent)
    stage.database.dispose()
    async with started(tmp_path, RETENTION_DAYS="1") as stage, asyncio.timeout(WAIT_SECONDS):
        shown = sa.select(sessions.c.id).where(sessions.c.deleted_at.is_(None))
        while (await stage.database.read(lambda c: c.execute(shown).all())) != [("recent",)]:
            await stage.ledger.settled(0.05)
