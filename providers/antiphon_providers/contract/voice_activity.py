"""What every voice activity must keep to; see ``antiphon_providers.interfaces``."""

# ruff: noqa: S101, PLR2004 -- to assert is what a contract does, with numbers of its own.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.promise import LONGEST_BLOCK_MS, PATIENCE_S, promised
from antiphon_providers.interfaces import HEARING_RATE, VoiceActivity


class Listener:
    """A sink that can be waited for."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self._grew = asyncio.Event()

    def __call__(self, probability: float) -> None:
        """Takes the next probability."""
        self.heard.append(probability)
        self._grew.set()

    async def until(self, count: int) -> list[float]:
        """The probabilities, once there are so many."""
        while len(self.heard) < count:
            self._grew.clear()
            await self._grew.wait()
        return self.heard


async def judged(activity: VoiceActivity, pcm: bytes, piece_bytes: int = 640) -> list[float]:
    """The probabilities of all full windows of some audio, fed piece by piece."""
    listener = Listener()
    stream = activity.open(listener)
    for at in range(0, len(pcm), piece_bytes):
        stream.feed(pcm[at : at + piece_bytes])
    heard = await listener.until(windows(activity, pcm))
    stream.close()
    return heard


def windows(activity: VoiceActivity, pcm: bytes) -> int:
    """How many full windows there are in some audio."""
    return len(pcm) // (activity.window_ms * HEARING_RATE // 1000 * 2)


class VoiceActivityContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    patience_s = PATIENCE_S
    longest_block_ms = LONGEST_BLOCK_MS

    def make(self) -> VoiceActivity:
        """A provider, not yet started."""
        raise NotImplementedError

    @pytest_asyncio.fixture(loop_scope="function")
    async def activity(self) -> AsyncIterator[VoiceActivity]:
        """A provider that runs, and speech at hand to be heard."""
        human_speech.reading()
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    @promised
    async def test_hears_speech_in_speech_and_none_in_silence(
        self, activity: VoiceActivity
    ) -> None:
        """The probabilities are from 0 to 1, above 0.5 in speech and below it in silence."""
        quiet = await judged(activity, human_speech.silence(1000))
        speech = await judged(activity, human_speech.clip("everything").pcm)
        assert all(0 <= probability <= 1 for probability in quiet + speech)
        assert max(quiet) < 0.5 < max(speech)

    @promised
    async def test_reports_each_full_window_once_however_it_is_cut(
        self, activity: VoiceActivity
    ) -> None:
        """Pieces of any length, even an odd number of bytes, give one result a window."""
        pcm = human_speech.clip("best").pcm
        assert activity.window_ms > 0
        for piece_bytes in (333, 640, 3201, len(pcm)):
            heard = await judged(activity, pcm, piece_bytes)
            assert len(heard) == windows(activity, pcm)
        assert await judged(activity, b"") == []

    @promised
    async def test_is_silent_once_closed(self, activity: VoiceActivity) -> None:
        """A closed stream's sink is not called again, whatever is fed or was under way."""
        listener, other = Listener(), Listener()
        stream = activity.open(listener)
        stream.feed(human_speech.clip("best").pcm)
        stream.close()
        told = len(listener.heard)
        stream.feed(human_speech.clip("best").pcm)
        stream.close()
        # Another stream's results come after all that was under way before them.
        witness = activity.open(other)
        witness.feed(human_speech.clip("hope").pcm)
        await other.until(windows(activity, human_speech.clip("hope").pcm))
        witness.close()
        assert len(listener.heard) == told

    @promised
    async def test_hears_each_call_by_itself(self, activity: VoiceActivity) -> None:
        """Many streams at once get what each would get alone."""
        clips = [human_speech.clip(name).pcm for name in ("best", "hope", "light", "despair")]
        alone = [await judged(activity, pcm) for pcm in clips]
        listeners = [Listener() for _ in clips]
        streams = [activity.open(listener) for listener in listeners]
        for at in range(0, max(map(len, clips)), 640):
            for stream, pcm in zip(streams, clips, strict=True):
                stream.feed(pcm[at : at + 640])
        for listener, pcm, expected in zip(listeners, clips, alone, strict=True):
            heard = await listener.until(windows(activity, pcm))
            assert heard == pytest.approx(expected, abs=0.02)
        for stream in streams:
            stream.close()
