"""Recordings as sessions make them: side by side, on disks of all kinds, and through crashes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from antiphon_protocol.audio import PCM, PCMU
from antiphon_server.call.sound import Samples, encode
from antiphon_server.recording.studio import PIECE_BYTES, REGISTER_SECONDS, Studio, StudioSettings
from antiphon_server.recording.tape import OpusFile
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import Known
from antiphon_server.store.database import Unreachable
from server.recording.recorded import RATE, babble, decoded, place
from virtual_time import in_virtual_time

CHILD = Path(__file__).with_name("recording_child.py")


@pytest.fixture
async def kept(tmp_path: Path) -> Folder:
    """Where recordings end."""
    folder = Folder(tmp_path / "kept")
    await folder.start()
    return folder


@pytest.fixture
async def studio(tmp_path: Path, kept: Folder) -> AsyncIterator[Studio]:
    """One that makes its recordings in `tmp_path`, on the clock of the loop."""
    made = Studio(tmp_path, kept, StudioSettings(asyncio.get_running_loop().time))
    yield made
    await made.close()


@in_virtual_time
async def test_ten_sessions_are_recorded_at_once(tmp_path: Path) -> None:
    """Each in its own file, with its own voices, in its own encoding, in place to 40 ms."""

    async def call(studio: Studio, number: int) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(number * 0.0137)
        encoding = PCMU if number % 2 else PCM
        recording = studio.record(f"sess_{number}", encoding, PCM)
        said = encode(babble(2, number, encoding.rate), encoding)
        answer = encode(babble(1, 100 + number), PCM)
        began = clock()
        for at in range(0, len(said), encoding.size(50)):
            recording.user(said[at : at + encoding.size(50)], clock())
            await asyncio.sleep(0.05)
        for frame in range(25):
            recording.agent(answer[frame * 1_920 : (frame + 1) * 1_920], began + 2.5 + frame / 25)
        await asyncio.sleep(2)
        info = await recording.finish()
        assert info is not None
        assert (info["uploaded_chunks"], info["dropped_chunks"]) == (65, 0)
        assert info["duration_seconds"] == pytest.approx(4, abs=0.01)
        await recording.keep()

    kept = Folder(tmp_path / "kept")
    await kept.start()
    studio = Studio(tmp_path, kept, StudioSettings(asyncio.get_running_loop().time))
    await asyncio.gather(*(call(studio, number) for number in range(10)))
    await studio.close()
    for number in range(10):
        left, right = decoded(tmp_path / "kept" / f"sess_{number}.ogg")
        for side, said, at in (
            (left, babble(2, number) if number % 2 == 0 else None, 0),
            (right, babble(1, 100 + number), 2.5),
        ):
            if said is not None:
                found, fit = place(said, side)
                assert found == pytest.approx(at, abs=0.040)
                assert fit > 0.9


async def test_a_finished_recording_is_kept_when_it_is_asked_for(
    studio: Studio, kept: Folder, tmp_path: Path
) -> None:
    """Until then it lies where a crash leaves it to be found; what is told can be stored."""
    recording = studio.record("sess_1", PCM, PCM)
    recording.user(bytes(4_800), asyncio.get_running_loop().time())
    info = await recording.finish()
    assert info is not None
    assert info.pop("duration_seconds") >= 0.1
    assert info == {
        "file": "sess_1.ogg",
        "uploaded_chunks": 1,
        "dropped_chunks": 0,
        "incomplete": False,
        "format": "ogg/opus",
        "channels": 2,
        "channel_layout": "stereo (left=user, right=agent)",
        "sample_rate": 24_000,
    }
    assert await kept.keys() == []
    assert (tmp_path / "sess_1.ogg").exists()
    await recording.keep()
    assert await kept.keys() == ["sess_1.ogg"]
    assert not (tmp_path / "sess_1.ogg").exists()


async def test_finishing_is_final_and_may_be_asked_for_twice(studio: Studio) -> None:
    """The answer is the same; what comes later is ignored; what was not finished is not kept."""
    recording = studio.record("sess_1", PCM, PCM)
    with pytest.raises(RuntimeError):
        await recording.keep()
    recording.agent(bytes(4_800), asyncio.get_running_loop().time())
    first = await recording.finish()
    recording.user(bytes(4_800), asyncio.get_running_loop().time())
    assert await recording.finish() == first
    assert studio.waiting_bytes == 0


async def test_an_id_that_is_no_name_of_a_file_is_refused(studio: Studio) -> None:
    """It comes from the server itself; were it ever a client's, it would not leave the folder."""
    for wrong in ("../x", "a/b", "", "a" * 200, "a\0"):
        with pytest.raises(ValueError, match="not a key"):
            studio.record(wrong, PCM, PCM)


class _Disk:
    """Holds every write until it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.free = threading.Event()

    def open(self, path: Path) -> _Disk:
        self._file = OpusFile(path)
        return self

    def write(self, frames: Samples) -> None:
        self.asked.set()
        assert self.free.wait(60)
        self._file.write(frames)

    def close(self) -> None:
        self._file.close()


async def test_a_slow_disk_costs_audio_but_no_time_of_the_loop(
    tmp_path: Path, kept: Folder
) -> None:
    """What waits is bounded; beyond that whole pieces are dropped and counted. The end of a
    session does not wait for such a disk either, and the file is kept once it can be.
    """
    disk = _Disk()
    clock = asyncio.get_running_loop().time
    room = 20 * (2_400 + PIECE_BYTES)
    studio = Studio(tmp_path, kept, StudioSettings(clock, room, 0.01, disk.open))
    recording = studio.record("sess_1", PCM, PCM)
    recording.user(bytes(48_000), clock())
    await asyncio.to_thread(disk.asked.wait, 60)
    # The writer stands still with what it was given; that is not forgotten before it is done.
    taken = studio.waiting_bytes
    for _ in range(100):
        recording.user(bytes(2_400), clock())
    assert taken <= studio.waiting_bytes <= room
    with structlog.testing.capture_logs() as lines:
        info = await recording.finish()
    assert info is not None
    assert info["incomplete"]
    assert [line["event"] for line in lines] == ["recording is not finished in time"]
    keeping = asyncio.create_task(recording.keep())
    disk.free.set()
    await keeping
    assert await kept.keys() == ["sess_1.ogg"]
    again = await recording.finish()
    assert again is not None
    assert again["dropped_chunks"] + again["uploaded_chunks"] == 101
    assert again["dropped_chunks"] > 70
    assert studio.waiting_bytes == 0
    await studio.close()


async def test_one_broken_recording_leaves_the_others_alone(studio: Studio, tmp_path: Path) -> None:
    """Its file cannot be made; the next one's can."""
    (tmp_path / "sess_1.ogg").mkdir()
    clock = asyncio.get_running_loop().time
    recordings = [studio.record(f"sess_{number}", PCM, PCM) for number in (1, 2)]
    for recording in recordings:
        recording.user(encode(babble(0.5, 1), PCM), clock())
    with structlog.testing.capture_logs() as lines:
        infos = [await recording.finish() for recording in recordings]
        await recordings[0].keep()
    assert infos[0] is None
    assert infos[1] is not None
    assert [line["event"] for line in lines] == ["recording broke off"]


async def test_a_storage_that_refuses_does_not_hurt_the_session(tmp_path: Path) -> None:
    """The file stays where the next start finds it."""
    studio = Studio(tmp_path, Folder(tmp_path / "is not there"))
    recording = studio.record("sess_1", PCM, PCM)
    recording.user(bytes(4_800), studio.settings.clock())
    assert await recording.finish() is not None
    with structlog.testing.capture_logs() as lines:
        await recording.keep()
    assert [line["event"] for line in lines] == ["recording is not kept yet"]
    assert (tmp_path / "sess_1.ogg").exists()
    await studio.close()


async def _kept(tmp_path: Path, kept: Folder, *answers: Known | Exception) -> list[str]:
    """What is kept of a recording that is registered with these answers; all must be asked for."""
    left = list(answers)

    async def register(session_id: str, recorded: dict[str, Any]) -> Known:
        assert recorded["file"] == f"{session_id}.ogg"
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    await kept.start()
    clock = asyncio.get_running_loop().time
    studio = Studio(tmp_path, kept, StudioSettings(clock, register=register))
    recording = studio.record("sess_1", PCM, PCM)
    recording.user(bytes(4_800), clock())
    await recording.finish()
    await recording.keep()
    await studio.close()
    assert left == []
    return await kept.keys()


@in_virtual_time
async def test_a_recording_is_kept_once_the_database_has_the_session(tmp_path: Path) -> None:
    """However long that takes; until then a crash leaves it where it is found."""
    answers: list[Known | Exception] = ["unknown", Unreachable("away"), "unknown", "known", "known"]
    folder = Folder(tmp_path / "kept")
    assert await _kept(tmp_path, folder, *answers) == ["sess_1.ogg"]
    assert asyncio.get_running_loop().time() >= 2.6


@in_virtual_time
async def test_a_session_that_was_deleted_meanwhile_gets_no_recording(tmp_path: Path) -> None:
    """Its client deleted it before the file was on its way, or while it was."""
    folder = Folder(tmp_path / "kept")
    assert await _kept(tmp_path, folder, "deleted") == []
    assert await _kept(tmp_path, folder, "unknown", "known", "deleted") == []
    assert not (tmp_path / "sess_1.ogg").exists()


@in_virtual_time
async def test_a_session_that_never_comes_is_given_up_after_half_an_hour(tmp_path: Path) -> None:
    """Its audio stays where the next start finds it."""
    with structlog.testing.capture_logs() as lines:
        unknown = ["unknown"] * len(REGISTER_SECONDS)
        assert await _kept(tmp_path, Folder(tmp_path / "kept"), *unknown) == []  # type: ignore[arg-type]
    assert [line["event"] for line in lines] == ["recording is not kept yet"]
    assert asyncio.get_running_loop().time() > 1_800
    assert (tmp_path / "sess_1.ogg").exists()


async def test_what_is_open_at_the_end_of_the_process_is_finished(
    tmp_path: Path, kept: Folder
) -> None:
    """Closing a studio writes all that there is."""
    studio = Studio(tmp_path, kept)
    recording = studio.record("sess_1", PCM, PCM)
    recording.user(encode(babble(1, 1), PCM), studio.settings.clock())
    await studio.close()
    assert place(babble(1, 1), decoded(tmp_path / "sess_1.ogg")[0])[1] > 0.9


def test_kill_9_costs_less_than_two_seconds(tmp_path: Path) -> None:
    """What lies there afterwards is playable, both sides of it."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(tmp_path)], stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            if float(line) >= 3.5:
                child.send_signal(signal.SIGKILL)
                break
    (left_over,) = (tmp_path / "unfinished").glob("*/*.ogg")
    left, right = decoded(left_over)
    assert left.size >= (3.5 - 2) * RATE
    whole = left.size - RATE // 2
    assert place(babble(10, 1)[:whole], left)[0] == pytest.approx(0, abs=0.040)
    assert place(babble(10, 2)[:whole], right)[0] == pytest.approx(0, abs=0.040)


def test_a_disk_that_is_full_leaves_what_it_took(tmp_path: Path) -> None:
    """The system refuses to let the file grow over 12,000 bytes: what is there is playable."""
    done = subprocess.run(
        [sys.executable, str(CHILD), str(tmp_path), "12000"], capture_output=True, text=True,
        env={"PYTHONPATH": ":".join(sys.path)}, check=True,
    )  # fmt: skip
    assert "'incomplete': True" in done.stdout
    (left_over,) = (tmp_path / "unfinished").glob("*/*.ogg")
    left, _ = decoded(left_over)
    assert left.size > RATE // 2
    assert f"'duration_seconds': {left.size / RATE:.3f}" in done.stdout
    assert place(babble(10, 1)[: left.size // 2], left)[0] == pytest.approx(0, abs=0.040)
