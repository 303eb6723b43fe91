"""Two tracks become a file: who is where, when, and how long it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import structlog

from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding
from antiphon_server.call.sound import Resampler, Samples, encode
from antiphon_server.observe import metrics
from antiphon_server.recording.tape import RATE, OpusFile, Piece, Tape
from server.recording.recorded import babble, decoded, loudness, place

BEGAN = 1_000.5
"""On the session's clock."""


def _tape(path: Path, user: Encoding = PCM, agent: Encoding = PCM) -> Tape:
    return Tape(path, {"user": user, "agent": agent}, BEGAN, OpusFile)


def _pieces(channel: str, raw: bytes, encoding: Encoding, at: float, ms: float) -> list[Piece]:
    """A stream in pieces of so many milliseconds that begins at a second of the recording."""
    size = encoding.size(ms)
    assert channel in {"user", "agent"}
    return [
        (
            "user" if channel == "user" else "agent",
            raw[start : start + size],
            BEGAN + at + ms / 1000 * number,
        )
        for number, start in enumerate(range(0, len(raw), size))
    ]


def _run(tape: Tape, pieces: list[Piece], seconds: float) -> None:
    """In turns of a quarter of a second, as the writer does it."""
    waiting = sorted(pieces, key=lambda piece: piece[2])
    for turn in range(1, round(seconds * 4) + 1):
        now = BEGAN + turn / 4
        ready = [piece for piece in waiting if piece[2] <= now]
        del waiting[: len(ready)]
        tape.advance(ready, now)
    assert not waiting


def _at_24_khz(samples: Samples, encoding: Encoding) -> Samples:
    resampler = Resampler(encoding.rate, RATE)
    return np.concatenate((resampler.feed(samples), resampler.finish()))


@pytest.mark.parametrize("encoding", [PCM, PCMU, PCMA], ids=lambda encoding: encoding.name)
def test_both_sides_are_where_they_belong(tmp_path: Path, encoding: Encoding) -> None:
    """The user left, the agent right, each within 40 ms of its time, in every encoding; with
    nothing of the one on the other's side.
    """
    tape = _tape(tmp_path / "a.ogg", encoding, encoding)
    user, agent = (babble(3, seed, encoding.rate) for seed in (1, 2))
    pieces = _pieces("user", encode(user, encoding), encoding, 1.0, 50)
    pieces += _pieces("agent", encode(agent, encoding), encoding, 5.25, 40)
    _run(tape, pieces, 9)
    info = tape.finish([], BEGAN + 9, 0)
    assert info is not None
    assert (info.uploaded_chunks, info.dropped_chunks, info.incomplete) == (60 + 75, 0, False)
    assert info.duration_seconds == pytest.approx(9, abs=0.001)
    left, right = decoded(tmp_path / "a.ogg")
    assert left.size == right.size == pytest.approx(9 * RATE, abs=RATE // 1000)
    for side, other, said, at in ((left, right, user, 1.0), (right, left, agent, 5.25)):
        found, fit = place(_at_24_khz(said, encoding), side)
        assert found == pytest.approx(at, abs=0.040)
        assert fit > 0.9
        spoken = slice(round(at * RATE), round((at + 3) * RATE))
        assert loudness(other[spoken]) < 0.02 * loudness(side[spoken])


def test_gaps_bursts_and_odd_pieces_are_placed(tmp_path: Path) -> None:
    """Three utterances: in real time, all at once, and in pieces that split samples; each lies
    where it arrived, whole, and there is silence between them.
    """
    said = [babble(2, seed) for seed in (3, 4, 5)]
    raw = [encode(samples, PCM) for samples in said]
    pieces = _pieces("user", raw[0], PCM, 0.5, 20)
    pieces += [("user", raw[1], BEGAN + 4.0)]
    odd: list[Piece] = [
        ("user", raw[2][at : at + 4_801], BEGAN + 8.0 + at / 48_000)
        for at in range(0, 96_000, 4_801)
    ]
    tape = _tape(tmp_path / "b.ogg")
    _run(tape, [*pieces, *odd], 10.5)
    tape.finish([], BEGAN + 11, 0)
    left, right = decoded(tmp_path / "b.ogg")
    assert left.size == pytest.approx(11 * RATE, abs=RATE // 1000)
    for samples, at in zip(said, (0.5, 4.0, 8.0), strict=True):
        found, fit = place(samples, left)
        assert found == pytest.approx(at, abs=0.040)
        assert fit > 0.9
    for begin, end in ((0, 0.45), (2.6, 3.9), (6.1, 7.9), (10.1, 11)):
        assert loudness(left[round(begin * RATE) : round(end * RATE)]) < 30
    assert loudness(right) < 3


def test_what_the_agent_did_not_come_to_say_is_not_recorded(tmp_path: Path) -> None:
    """Interrupted at 1.2 s with audio up to 2 s under way: it ends there, and the next reply
    begins where it was played.
    """
    tape = _tape(tmp_path / "c.ogg")
    first, second = babble(2, 6), babble(1, 7)
    hush: Piece = ("agent", b"", BEGAN + 1.2)
    tape.advance(_pieces("agent", encode(first, PCM), PCM, 0.0, 40), BEGAN + 1.0)
    tape.advance([hush, *_pieces("agent", encode(second, PCM), PCM, 1.5, 40)], BEGAN + 1.25)
    tape.finish([], BEGAN + 2.0, 0)
    _, right = decoded(tmp_path / "c.ogg")
    assert place(first[: round(1.2 * RATE)], right)[0] == pytest.approx(0, abs=0.001)
    assert loudness(right[round(1.25 * RATE) : round(1.45 * RATE)]) < 60
    assert place(second[: RATE // 2], right)[0] == pytest.approx(1.5, abs=0.001)
    assert right.size == pytest.approx(2 * RATE, abs=1)


def test_time_goes_on_while_nobody_is_there(tmp_path: Path) -> None:
    """A client that was away for half a minute: silence, and what follows in its place."""
    tape = _tape(tmp_path / "d.ogg")
    said = encode(babble(1, 8), PCM)
    _run(tape, _pieces("user", said, PCM, 0, 50) + _pieces("user", said, PCM, 31, 50), 32.5)
    tape.finish([], BEGAN + 33, 0)
    left, _ = decoded(tmp_path / "d.ogg")
    assert left.size == pytest.approx(33 * RATE, abs=RATE // 1000)
    assert place(babble(1, 8), left[2 * RATE :])[0] == pytest.approx(29, abs=0.040)
    assert loudness(left[2 * RATE : 30 * RATE]) < 30


def test_a_client_cannot_send_ahead_without_end(tmp_path: Path) -> None:
    """What lies more than half a minute ahead is dropped and counted: it would fill the memory."""
    tape = _tape(tmp_path / "e.ogg")
    second = bytes(48_000)
    tape.advance([("user", second, BEGAN) for _ in range(100)], BEGAN + 0.1)
    info = tape.finish([], BEGAN + 0.2, 3)
    assert info is not None
    assert (info.uploaded_chunks, info.dropped_chunks, info.incomplete) == (31, 72, True)
    assert info.duration_seconds == 31


def test_a_long_session_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """What is written is forgotten: of half a minute less than a second is still held."""
    tape = _tape(tmp_path / "long.ogg", PCMU, PCMU)
    raw = bytes(30 * 8_000)
    _run(tape, _pieces("user", raw, PCMU, 0, 50) + _pieces("agent", raw, PCMU, 0, 40), 30)
    for spool in tape._spools.values():
        strip = spool.track.strip
        assert sum(piece.size for piece in strip._pieces) == strip.end - strip.begin < 8_000
        assert spool.ready.size < RATE
    tape.finish([], BEGAN + 30, 0)


def test_the_file_is_the_owners_alone_and_grows_as_it_is_written(tmp_path: Path) -> None:
    """What a crash leaves is played up to 2 s before it, also when the last write was torn."""
    path = tmp_path / "f.ogg"
    tape = _tape(path)
    said = babble(10, 9)
    _run(tape, _pieces("user", encode(said, PCM), PCM, 0, 50), 10)
    assert path.stat().st_mode & 0o777 == 0o600
    there = path.read_bytes()
    for cut in (len(there), len(there) - 1):
        torn = tmp_path / f"torn-{cut}.ogg"
        torn.write_bytes(there[:cut])
        left, _ = decoded(torn)
        assert left.size >= (8 if cut == len(there) else 7) * RATE
        assert place(said[: 6 * RATE], left)[0] == pytest.approx(0, abs=0.001)
    tape.finish([], BEGAN + 10, 0)


def test_a_session_without_audio_has_a_silent_recording(tmp_path: Path) -> None:
    """As long as the session was; one of no length has none."""
    tape = _tape(tmp_path / "g.ogg")
    assert tape.finish([], BEGAN, 0) is None
    assert not (tmp_path / "g.ogg").exists()
    tape = _tape(tmp_path / "g.ogg")
    info = tape.finish([], BEGAN + 1, 0)
    assert info is not None
    assert info.duration_seconds == 1
    assert not decoded(tmp_path / "g.ogg")[0].any()


class _FullDisk:
    """A file on a disk that fills up after so many samples."""

    def __init__(self, path: Path) -> None:
        self._file = OpusFile(path)
        self._left = 48_000

    def write(self, frames: Samples) -> None:
        self._left -= len(frames)
        if self._left < 0:
            raise OSError(28, "No space left on device")
        self._file.write(frames)

    def close(self) -> None:
        self._file.close()


def test_a_full_disk_ends_the_recording_not_the_writer(tmp_path: Path) -> None:
    """What was written stays playable; the rest is counted, and the log has one line."""
    path = tmp_path / "h.ogg"
    tape = Tape(path, {"user": PCM, "agent": PCM}, BEGAN, _FullDisk)
    before = metrics.RECORDINGS_BROKEN._value.get()
    with structlog.testing.capture_logs() as lines:
        _run(tape, _pieces("user", encode(babble(5, 10), PCM), PCM, 0, 50), 5)
        info = tape.finish([("user", b"\x00\x00", BEGAN + 5)], BEGAN + 5, 0)
    assert info is not None
    assert info.incomplete
    assert info.dropped_chunks > 40
    assert info.duration_seconds == pytest.approx(2, abs=0.3)
    assert decoded(path)[0].size == pytest.approx(info.duration_seconds * RATE, abs=1)
    assert [line["event"] for line in lines] == ["recording broke off"]
    assert metrics.RECORDINGS_BROKEN._value.get() == before + 1


def test_a_file_that_cannot_be_made_is_no_recording(tmp_path: Path) -> None:
    """One that is there already is not overwritten, and no folder is invented."""
    (tmp_path / "i.ogg").write_bytes(b"somebody's")
    for path in (tmp_path / "i.ogg", tmp_path / "nowhere" / "i.ogg"):
        tape = _tape(path)
        with structlog.testing.capture_logs():
            tape.advance([("user", bytes(48_000), BEGAN)], BEGAN + 1)
            assert tape.finish([], BEGAN + 2, 0) is None
    assert (tmp_path / "i.ogg").read_bytes() == b"somebody's"
