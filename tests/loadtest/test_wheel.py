"""One clock for all microphones."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from antiphon.errors import ConnectionLost
from antiphon_loadtest.notes import Notes
from antiphon_loadtest.wheel import MOST_WAITING, Microphone, Spoken, Wheel
from virtual_time import run


class _Wire:
    """The part of a wire a microphone uses."""

    def __init__(self) -> None:
        self.waiting = 0
        self.lost = False
        self.written: list[tuple[float, bytes]] = []

    def write(self, frame: bytes) -> None:
        """Notes it with its time."""
        if self.lost:
            raise ConnectionLost(1006)
        self.written.append((asyncio.get_running_loop().time(), frame))


def _microphone(wire: _Wire, notes: Notes) -> Microphone:
    return Microphone(wire, b"silence", notes)  # type: ignore[arg-type]


def test_a_microphone_sends_one_frame_in_20_ms_and_speaks_when_told_to() -> None:
    """Silence, the clip in order, silence again; the clip begins a frame before its first one."""

    async def turn() -> tuple[_Wire, Spoken, Notes]:
        notes, wire = Notes(), _Wire()
        wheel = Wheel(20, notes)
        microphone = _microphone(wire, notes)
        wheel.add(microphone)
        wheel.start()
        await asyncio.sleep(0.05)
        microphone.spoken = Spoken([b"a", b"b"])
        await asyncio.sleep(0.1)
        wheel.remove(microphone)
        wheel.remove(microphone)
        count = len(wire.written)
        await asyncio.sleep(0.1)
        wheel.stop()
        assert len(wire.written) == count
        assert microphone.spoken.over
        return wire, microphone.spoken, notes

    wire, spoken, notes = run(turn())
    frames = [frame for _, frame in wire.written]
    assert frames[3:5] == [b"a", b"b"]
    assert set(frames[:3] + frames[5:]) == {b"silence"}
    times = [at for at, _ in wire.written]
    assert all(abs(b - a - 0.02) < 1e-6 for a, b in pairwise(times))
    assert abs(spoken.started_at - (times[3] - 0.02)) < 1e-6
    assert notes.sent == len(frames)
    assert notes.late == 0


def test_a_line_that_takes_nothing_and_one_that_is_lost_hold_up_nobody() -> None:
    """What cannot be sent is counted, and not kept."""

    async def turn() -> tuple[Notes, _Wire]:
        notes, stuck, lost, good = Notes(), _Wire(), _Wire(), _Wire()
        stuck.waiting, lost.lost = MOST_WAITING + 1, True
        wheel = Wheel(20, notes)
        for wire in (stuck, lost, good):
            wheel.add(_microphone(wire, notes))
        wheel.start()
        await asyncio.sleep(0.1)
        wheel.stop()
        assert stuck.written == []
        return notes, good

    notes, good = run(turn())
    assert notes.counts["blocked"] >= 5
    assert len(good.written) >= 5
