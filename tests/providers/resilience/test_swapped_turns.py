"""Voice activity and turn models are replaced while calls run."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.contract.turn_model import TurnModelContract
from antiphon_providers.contract.voice_activity import VoiceActivityContract
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import HEARING_RATE, TurnModel, VoiceActivity
from antiphon_providers.resilience.swapped_turns import (
    LATE_MS,
    SwappableTurnModel,
    SwappableVoiceActivity,
)
from antiphon_providers.scripted import Fault, ScriptedTurnModel, ScriptedVoiceActivity
from virtual_time import run

WINDOW_MS = 32
WINDOW_BYTES = HEARING_RATE * 2 * WINDOW_MS // 1000
LATE = LATE_MS // WINDOW_MS
LOUD = 500
"""A window of this number counts as voice."""


class TestSwappableVoiceActivity(VoiceActivityContract):
    """Voice activity like any other."""

    def make(self) -> VoiceActivity:
        """One that works."""
        return SwappableVoiceActivity(ScriptedVoiceActivity())


class TestSwappableTurnModel(TurnModelContract):
    """A turn model like any other."""

    def make(self) -> TurnModel:
        """One that works."""
        return SwappableTurnModel(ScriptedTurnModel())


class Slow:
    """Voice activity that tells a window's number, in thousandths, when it is told to."""

    def __init__(self, name: str = "slow", window_ms: int = WINDOW_MS) -> None:
        self.name = name
        self.window_ms = window_ms
        self.streams: list[SlowStream] = []
        self.closed = 0
        self.failure: Unavailable | None = None

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Counts."""
        self.closed += 1

    def open(self, sink: Callable[[float], None]) -> SlowStream:
        """A stream, or the failure."""
        if self.failure is not None:
            raise self.failure
        self.streams.append(SlowStream(sink))
        return self.streams[-1]

    @property
    def judged(self) -> int:
        """Windows that were given to it."""
        return sum(len(stream.numbers) for stream in self.streams)

    def tell(self, count: int) -> None:
        """Says the oldest so many."""
        for stream in self.streams:
            stream.tell(count)


class SlowStream:
    """Of one call."""

    def __init__(self, sink: Callable[[float], None]) -> None:
        self.numbers: list[int] = []
        self._sink = sink
        self._audio = b""
        self._told = 0
        self.is_open = True

    def feed(self, pcm: bytes) -> None:
        """Notes the number of each full window: that of its first sample."""
        self._audio += pcm
        while len(self._audio) >= WINDOW_BYTES:
            window, self._audio = self._audio[:WINDOW_BYTES], self._audio[WINDOW_BYTES:]
            samples = np.frombuffer(window, "<i2")
            assert len(set(samples.tolist())) == 1, "a window of two halves"
            self.numbers.append(int(samples[0]))

    def tell(self, count: int) -> None:
        """Says the oldest so many."""
        while self.is_open and count and self._told < len(self.numbers):
            number = self.numbers[self._told]
            self._told += 1
            count -= 1
            self._sink(number / 1000)

    def close(self) -> None:
        """Nothing more is said."""
        self.is_open = False


def windows(*numbers: int) -> bytes:
    """Audio of windows with these numbers."""
    return b"".join(np.full(WINDOW_BYTES // 2, number, "<i2").tobytes() for number in numbers)


async def test_a_silent_call_moves_with_the_next_window() -> None:
    """The old one says what it owes before the new one is heard, and is closed after that."""
    old, new, heard = Slow(), Slow("new"), list[float]()
    activity = SwappableVoiceActivity(old)
    stream = activity.open(heard.append)
    stream.feed(windows(1, 2)[:-100])
    await activity.swap(new)
    stream.feed(windows(2)[-100:] + windows(3))
    assert (old.judged, new.judged) == (2, 1)
    new.tell(1)
    assert heard == []
    old.tell(2)
    assert heard == [0.001, 0.002, 0.003]
    assert not old.streams[0].is_open
    assert activity.name == "new"
    stream.close()
    assert not new.streams[0].is_open
    await activity.close()
    assert (old.closed, new.closed) == (1, 1)


async def test_a_call_in_which_somebody_speaks_does_not_move() -> None:
    """Before the voice falls silent."""
    old, new, heard = Slow(), Slow("new"), list[float]()
    activity = SwappableVoiceActivity(old)
    stream = activity.open(heard.append)
    stream.feed(windows(LOUD))
    old.tell(1)
    await activity.swap(new)
    stream.feed(windows(LOUD, 1))
    assert (old.judged, new.judged, old.closed) == (3, 0, 0)
    old.tell(2)
    stream.feed(windows(2))
    new.tell(1)
    assert (old.judged, new.judged) == (3, 1)
    assert heard == [0.5, 0.5, 0.001, 0.002]
    stream.close()
    await activity.close()


async def test_one_that_says_nothing_any_more_is_not_waited_for() -> None:
    """Whatever it said last; what it owes counts as silence, window by window."""
    old, new, heard = Slow(), Slow("new"), list[float]()
    activity = SwappableVoiceActivity(old)
    stream = activity.open(heard.append)
    stream.feed(windows(LOUD))
    old.tell(1)
    await activity.swap(new)
    stream.feed(windows(*[LOUD] * (LATE + 1)))
    stream.feed(windows(*range(1, LATE + 3)))
    assert new.judged == LATE + 2
    new.tell(LATE + 2)
    assert heard == [0.5] + [0.0] * (LATE + 1) + [n / 1000 for n in range(1, LATE + 3)]
    stream.close()
    await activity.close()
    assert old.closed == 1


async def test_a_new_one_that_does_not_open_is_tried_again() -> None:
    """The old one goes on until then."""
    old, new, heard = Slow(), Slow("new"), list[float]()
    activity = SwappableVoiceActivity(old)
    stream = activity.open(heard.append)
    new.failure = Unavailable("not now")
    await activity.swap(new)
    stream.feed(windows(1))
    assert (old.judged, new.judged) == (1, 0)
    new.failure = None
    stream.feed(windows(2))
    assert (old.judged, new.judged) == (1, 1)
    stream.close()
    await activity.close()


async def test_windows_of_another_length_are_refused() -> None:
    """Calls in progress count in theirs; nothing has changed, and nothing was started."""
    old, new = Slow(), Slow("new", window_ms=10)
    activity = SwappableVoiceActivity(old)
    for change in (activity.swap, activity.prepare):
        with pytest.raises(Refused, match=r"windows of new have 10 ms, .* progress 32 ms"):
            await change(new)
    assert activity.current is old
    await activity.close()


async def test_a_stream_that_cannot_be_opened_uses_nobody() -> None:
    """The provider can be replaced and closed all the same."""
    old, new = Slow(), Slow("new")
    activity = SwappableVoiceActivity(old)
    old.failure = Unavailable("not now")
    with pytest.raises(Unavailable):
        activity.open(lambda _probability: None)
    await activity.swap(new)
    await activity.close()
    assert old.closed == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.integers(1, 5000)),
        st.tuples(st.just("tell"), st.integers(1, 6)),
        st.tuples(st.just("swap"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_each_window_is_judged_once_and_told_in_order(steps: list[tuple[str, int]]) -> None:
    """However audio is cut, results come and providers change."""

    async def whole_call() -> None:
        providers = [Slow()]
        heard: list[float] = []
        activity = SwappableVoiceActivity(providers[0])
        stream = activity.open(heard.append)
        audio = windows(*range(1, 1 + 40 * 5000 // WINDOW_BYTES))
        at = 0
        for step, number in steps:
            if step == "feed":
                stream.feed(audio[at : at + number])
                at += number
            elif step == "tell":
                for provider in providers:
                    provider.tell(number)
            else:
                providers.append(Slow(f"number {len(providers)}"))
                await activity.swap(providers[-1])
        for provider in providers:
            provider.tell(10_000)
        whole = at // WINDOW_BYTES
        told = [round(probability * 1000) for probability in heard]
        # What nobody waited for any longer is silence.
        assert [number or place for place, number in enumerate(told, 1)] == list(
            range(1, whole + 1)
        )
        judged = sorted(n for p in providers for s in p.streams for n in s.numbers)
        assert judged == list(range(1, whole + 1))
        assert all(one < other for one, other in pairwise(n for n in told if n))
        stream.close()
        await activity.close()
        assert all(provider.closed == 1 for provider in providers)

    run(whole_call())


async def test_a_pause_is_judged_to_its_end_by_the_model_that_was_asked() -> None:
    """The next one by the new model."""
    old, new = ScriptedTurnModel(), ScriptedTurnModel()
    model = SwappableTurnModel(old)
    await model.judge(bytes(6400))
    await model.swap(new)
    new.desk.fault = Fault("unavailable")
    with pytest.raises(Unavailable):
        await model.judge(bytes(6400))
    assert (old.desk.opened, new.desk.opened, new.desk.active) == (1, 1, 0)
    await model.close()
