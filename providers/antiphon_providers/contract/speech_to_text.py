"""What every recogniser must keep to; see ``antiphon_providers.interfaces``."""

# ruff: noqa: S101 -- to assert is what a contract does.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.promise import (
    LONGEST_BLOCK_MS,
    PATIENCE_S,
    cancel,
    ended,
    nothing_left,
    promised,
)
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HearingOptions, Recognised, SpeechStream, SpeechToText


async def segment(results: AsyncIterator[Recognised]) -> list[Recognised]:
    """All results up to and with the flushed one."""
    heard: list[Recognised] = []
    async for result in results:
        heard.append(result)
        if result.flushed:
            return heard
    raise AssertionError("the stream ended before it answered a flush")


async def feed(stream: SpeechStream, pcm: bytes, piece_bytes: int = 640) -> None:
    """Feeds audio in pieces, letting others run in between."""
    for at in range(0, len(pcm), piece_bytes):
        stream.feed(pcm[at : at + piece_bytes])
        await asyncio.sleep(0)


async def heard(
    recogniser: SpeechToText, pcm: bytes, options: HearingOptions | None = None
) -> list[Recognised]:
    """All results of one segment, in a call of its own."""
    async with recogniser.open(options or HearingOptions()) as stream:
        await feed(stream, pcm)
        stream.flush()
        return await segment(aiter(stream))


class SpeechToTextContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    patience_s = PATIENCE_S
    longest_block_ms = LONGEST_BLOCK_MS

    def make(self) -> SpeechToText:
        """A provider, not yet started."""
        raise NotImplementedError

    def make_unreachable(self) -> SpeechToText | None:
        """The same, whose service is not there; None for one that needs no service."""
        return None

    @pytest_asyncio.fixture(loop_scope="function")
    async def recogniser(self) -> AsyncIterator[SpeechToText]:
        """A provider that runs, and speech at hand to be heard."""
        human_speech.reading()
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    @promised
    async def test_hears_words_in_speech(self, recogniser: SpeechToText) -> None:
        """The flushed result has the segment's words."""
        results = await heard(recogniser, human_speech.clip("best").pcm)
        assert results[-1].text.strip()

    @promised
    async def test_hears_no_words_in_silence_or_nothing(self, recogniser: SpeechToText) -> None:
        """A flush after silence, or after no audio at all, is answered with no words."""
        assert (await heard(recogniser, human_speech.silence(1500)))[-1].text == ""
        assert (await heard(recogniser, b""))[-1].text == ""

    @promised
    async def test_answers_each_flush_once_and_in_order(self, recogniser: SpeechToText) -> None:
        """Segments flushed one upon the other each get their own answer, the silent ones too."""
        async with recogniser.open(HearingOptions()) as stream:
            for pcm in (human_speech.clip("best").pcm, b"", human_speech.clip("hope").pcm):
                await feed(stream, pcm)
                stream.flush()
            results = aiter(stream)
            answers = [(await segment(results))[-1].text for _ in range(3)]
        assert [bool(answer) for answer in answers] == [True, False, True]

    @promised
    async def test_gives_partials_only_where_they_are_wanted(
        self, recogniser: SpeechToText
    ) -> None:
        """Without partials there is one result for a segment; those with are not flushed."""
        pcm = human_speech.clip("everything").pcm
        finals = await heard(recogniser, pcm, HearingOptions(partials=False))
        assert [result.flushed for result in finals] == [True]
        everything = await heard(recogniser, pcm, HearingOptions(partials=True))
        assert [result.flushed for result in everything[:-1]] == [False] * (len(everything) - 1)

    @promised
    async def test_takes_pieces_of_any_length(self, recogniser: SpeechToText) -> None:
        """Pieces may end within a sample."""
        async with recogniser.open(HearingOptions(partials=False)) as stream:
            await feed(stream, human_speech.clip("best").pcm, 333)
            stream.flush()
            odd = await segment(aiter(stream))
        even = await heard(
            recogniser, human_speech.clip("best").pcm, HearingOptions(partials=False)
        )
        assert bool(odd[-1].text) == bool(even[-1].text)

    @promised
    async def test_hears_many_calls_at_once(self, recogniser: SpeechToText) -> None:
        """Every call gets its answer."""
        clips = human_speech.clips()[:4]
        answers = await asyncio.gather(*(heard(recogniser, clip.pcm) for clip in clips))
        assert all(answer[-1].flushed for answer in answers)

    @promised
    async def test_ends_with_its_context(self, recogniser: SpeechToText) -> None:
        """Whoever iterates is released when the call's context is left, work or no work."""
        async with recogniser.open(HearingOptions()) as stream:
            stream.feed(human_speech.clip("superlative").pcm)
            stream.flush()
        async for _ in stream:
            pass

    @promised
    async def test_ends_its_streams_when_it_closes(self) -> None:
        """An iteration under way ends, with or without a typed error; no work goes on."""
        before = asyncio.all_tasks()
        provider = self.make()
        await provider.start()
        async with provider.open(HearingOptions()) as stream:
            listening = asyncio.create_task(_listened(stream))
            await asyncio.sleep(0)
            await provider.close()
            await ended(listening)
        await nothing_left(before)

    @promised
    async def test_lets_go_where_it_waits(self, recogniser: SpeechToText) -> None:
        """Whoever waits for words is cancelled at once; the stream then closes as ever."""
        pcm = human_speech.clip("superlative").pcm
        async with recogniser.open(HearingOptions()) as stream:
            listening = asyncio.create_task(_listened(stream))
            await feed(stream, pcm)
            stream.flush()
            await cancel(listening)
        assert (await heard(recogniser, pcm))[-1].text.strip()

    @promised
    async def test_fails_with_a_typed_error_where_its_service_is_gone(self) -> None:
        """At the start, on opening or while listening: one of ``antiphon_providers.errors``."""
        provider = self.make_unreachable()
        if provider is None:
            return
        with pytest.raises(ProviderError):
            await _used(provider)
        await provider.close()


async def _listened(stream: SpeechStream) -> None:
    """Takes results until there are no more."""
    async for _ in stream:
        pass


async def _used(recogniser: SpeechToText) -> None:
    """Starts it and has it listen once."""
    await recogniser.start()
    await heard(recogniser, human_speech.clip("best").pcm)
