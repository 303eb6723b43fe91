"""Recordings of dead processes: found, registered and kept, however often it takes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import structlog

from antiphon_server.recording.tape import OpusFile
from antiphon_server.recording.unfinished import STRAY_SECONDS, Unfinished
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import Known

CLAIMANT = """
import sys
from pathlib import Path
from antiphon_server.recording.unfinished import Unfinished
print(Unfinished(Path(sys.argv[1])).claim(), flush=True)
sys.stdin.read()
"""


class Sessions:
    """What is known of sessions; remembers what was registered."""

    def __init__(self, **known: Known) -> None:
        self.known = known
        self.registered: dict[str, dict[str, Any]] = {}

    async def register(self, session_id: str, recorded: dict[str, Any]) -> Known:
        """As the database does it."""
        answer = self.known.get(session_id, "unknown")
        if answer == "known":
            self.registered[session_id] = recorded
        return answer


def _record(folder: Path, session_id: str, seconds: float = 1.0) -> Path:
    path = folder / f"{session_id}.ogg"
    file = OpusFile(path)
    file.write(np.zeros((round(seconds * 24_000), 2), np.int16))
    file.close()
    return path


def _folders(folder: Path) -> list[Path]:
    """What is there of all processes."""
    return list((folder / "unfinished").iterdir())


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Folder]:
    """Where recordings end."""
    folder = Folder(tmp_path / "kept")
    await folder.start()
    yield folder
    await folder.close()


@pytest.fixture
def dead(tmp_path: Path) -> Path:
    """The folder that a process left which was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMANT, str(tmp_path / "unfinished")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        process.kill()
    return folder


async def test_what_a_killed_process_left_is_registered_and_kept(
    tmp_path: Path, kept: Folder, dead: Path
) -> None:
    """Its length is what can be played; that it is not whole is told; its folder is gone."""
    _record(dead, "sess_1", 2.5)
    sessions = Sessions(sess_1="known")
    unfinished = Unfinished(tmp_path / "unfinished")
    assert await unfinished.recover(kept, sessions.register) == 1
    assert await kept.keys() == ["sess_1.ogg"]
    recorded = sessions.registered["sess_1"]
    assert (recorded["duration_seconds"], recorded["incomplete"]) == (2.5, True)
    assert (recorded["file"], recorded["uploaded_chunks"]) == ("sess_1.ogg", None)
    assert _folders(tmp_path) == []
    assert await unfinished.recover(kept, sessions.register) == 0


async def test_what_a_living_process_records_is_left_alone(tmp_path: Path, kept: Folder) -> None:
    """Ours or another's: its lock is held. A folder that is given up with audio in it is not
    held any more.
    """
    ours, others = Unfinished(tmp_path / "unfinished"), Unfinished(tmp_path / "unfinished")
    _record(ours.claim(), "sess_1")
    others.claim()
    sessions = Sessions(sess_1="known")
    for one in (ours, others):
        assert await one.recover(kept, sessions.register) == 0
    ours.release()
    ours.release()
    others.release()
    assert await others.recover(kept, sessions.register) == 1
    assert _folders(tmp_path) == []


async def test_two_processes_that_start_at_once_keep_it_once(
    tmp_path: Path, kept: Folder, dead: Path
) -> None:
    """Whoever has the dead one's lock does it."""
    _record(dead, "sess_1")
    sessions = Sessions(sess_1="known")
    both = [Unfinished(tmp_path / "unfinished") for _ in range(2)]
    counts = await asyncio.gather(*(one.recover(kept, sessions.register) for one in both))
    assert sum(counts) == 1
    assert await kept.keys() == ["sess_1.ogg"]


async def test_audio_of_an_unknown_session_waits_for_a_day(
    tmp_path: Path, kept: Folder, dead: Path
) -> None:
    """Its records may not be in the database yet; after a day nobody can ever ask for it."""
    path = _record(dead, "sess_1")
    unfinished = Unfinished(tmp_path / "unfinished")
    assert await unfinished.recover(kept, Sessions().register) == 0
    assert path.exists()
    old = path.stat().st_mtime - STRAY_SECONDS
    os.utime(path, (old, old))
    with structlog.testing.capture_logs() as lines:
        assert await unfinished.recover(kept, Sessions().register) == 0
    assert _folders(tmp_path) == []
    assert [line["event"] for line in lines] == ["recording of a dead process deleted"]


async def test_audio_of_a_deleted_session_is_deleted(
    tmp_path: Path, kept: Folder, dead: Path
) -> None:
    """At once: that was asked for."""
    path = _record(dead, "sess_1")
    unfinished = Unfinished(tmp_path / "unfinished")
    with structlog.testing.capture_logs():
        assert await unfinished.recover(kept, Sessions(sess_1="deleted").register) == 0
    assert not path.exists()
    assert await kept.keys() == []


async def test_what_cannot_be_played_is_deleted(tmp_path: Path, kept: Folder, dead: Path) -> None:
    """An empty file, a torn head, something else altogether."""
    whole = _record(dead, "whole").read_bytes()
    for name, raw in (("a", b""), ("b", whole[:60]), ("c", b"RIFF" + bytes(100))):
        (dead / f"{name}.ogg").write_bytes(raw)
    sessions = Sessions(a="known", b="known", c="known", whole="known")
    with structlog.testing.capture_logs():
        assert await Unfinished(tmp_path / "unfinished").recover(kept, sessions.register) == 1
    assert sessions.registered.keys() == {"whole"}
    assert _folders(tmp_path) == []
    assert soundfile.info(kept.path("whole.ogg")).frames == 24_000


async def test_a_failure_leaves_the_rest_for_another_time(
    tmp_path: Path, kept: Folder, dead: Path
) -> None:
    """Neither the database nor the storage need be there at the start."""
    _record(dead, "sess_1")
    unfinished = Unfinished(tmp_path / "unfinished")

    async def unreachable(_session_id: str, _recorded: dict[str, Any]) -> Known:
        raise ConnectionError

    with structlog.testing.capture_logs() as lines:
        assert await unfinished.recover(kept, unreachable) == 0
    assert [line["event"] for line in lines] == ["recordings of a dead process wait"]
    assert await unfinished.recover(kept, Sessions(sess_1="known").register) == 1


async def test_nothing_is_there_at_the_first_start(tmp_path: Path, kept: Folder) -> None:
    """Not even the folder."""
    assert await Unfinished(tmp_path / "new").recover(kept, Sessions().register) == 0


def test_a_folder_that_somebody_deleted_is_given_up_without_an_error(tmp_path: Path) -> None:
    """A server that stops has more to close than this."""
    ours = Unfinished(tmp_path / "unfinished")
    own = ours.claim()
    (own / "lock").unlink()
    own.rmdir()
    ours.release()
    again = Unfinished(tmp_path / "unfinished")
    assert again.claim().is_dir()
    again.release()
