"""What a call's connection to a recogniser does, whoever the vendor is: here, Deepgram's two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from antiphon_providers import hearing_stream
from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import feed, segment
from antiphon_providers.deepgram_flux import DeepgramFlux, DeepgramFluxOptions, FluxTongue
from antiphon_providers.deepgram_speech_to_text import (
    DeepgramHearing,
    DeepgramHearingOptions,
    NovaTongue,
)
from antiphon_providers.errors import Unavailable
from antiphon_providers.hearing_stream import Terms
from antiphon_providers.interfaces import HearingOptions
from fakes.deepgram import KEY, FakeDeepgram, Fault, Session

SPEECH = human_speech.clip("best").pcm
PAD = 9 * 2560
"""Bytes of silence behind a segment of Flux."""
NO_PARTIALS = HearingOptions(partials=False)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDeepgram]:
    """The vendor."""
    async with FakeDeepgram() as vendor:
        yield vendor


@pytest.fixture
async def nova(fake: FakeDeepgram) -> DeepgramHearing:
    """Nova at the fake, running."""
    provider = DeepgramHearing(DeepgramHearingOptions(api_key=KEY, base_url=fake.url))
    await provider.start()
    return provider


@pytest.fixture
async def flux(fake: FakeDeepgram) -> DeepgramFlux:
    """Flux at the fake, running."""
    provider = DeepgramFlux(DeepgramFluxOptions(api_key=KEY, base_url=fake.url, final_ms=300))
    await provider.start()
    return provider


def often(terms: Terms) -> Terms:
    """With a sign of life every 10 ms."""
    return structs.replace(terms, keep_alive_s=0.01)


async def audio(session: Session, length: int) -> bytes:
    """The audio that came, once there is so much."""
    async with session.arrived:
        await session.arrived.wait_for(lambda: len(session.audio) >= length)
    return bytes(session.audio)


async def test_nova_is_kept_by_a_message(
    fake: FakeDeepgram, nova: DeepgramHearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that feeds nothing sends ``KeepAlive`` again and again, and no audio."""
    monkeypatch.setattr(NovaTongue, "terms", often(NovaTongue.terms))
    async with nova.open(NO_PARTIALS) as stream:
        await fake.sessions[-1].until("KeepAlive", 3)
        assert not fake.sessions[-1].audio
        await feed(stream, SPEECH)
        stream.flush()
        assert (await segment(aiter(stream)))[-1].text == "Hello there."


async def test_flux_is_kept_by_silence_which_counts_as_time(
    fake: FakeDeepgram, flux: DeepgramFlux, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no such message on its wire; what is fed later has its own words all the same."""
    monkeypatch.setattr(FluxTongue, "terms", often(FluxTongue.terms))
    async with flux.open(NO_PARTIALS) as stream:
        sent = await audio(fake.sessions[-1], 5 * 2560)
        assert not any(sent)
        assert len(sent) % 2560 == 0
        results = aiter(stream)
        for words in ("Hello there.", "How are you?"):
            await feed(stream, SPEECH)
            stream.flush()
            assert (await segment(results))[-1].text == words
            await audio(fake.sessions[-1], len(fake.sessions[-1].audio) + 2560)
    assert set(fake.sessions[-1].types()) == {"ForceEndTurn", "CloseStream"}


async def test_flux_sends_nothing_of_the_next_segment_too_early(
    fake: FakeDeepgram, flux: DeepgramFlux
) -> None:
    """Until the one before is answered, or given up, in which case its turn is ended too."""
    fake.fault = Fault(deaf={"Audio"})
    flux.options = DeepgramFluxOptions(api_key=KEY, base_url=fake.url, final_ms=200)
    padded = -(-len(SPEECH) // 2560) * 2560 + PAD
    async with flux.open(NO_PARTIALS) as stream:
        session = fake.sessions[-1]
        await feed(stream, SPEECH)
        stream.flush()
        await feed(stream, SPEECH)
        stream.flush()
        first = await audio(session, len(SPEECH) + PAD)
        assert len(first) <= padded
        assert "ForceEndTurn" not in session.types()
        results = aiter(stream)
        assert (await segment(results))[-1].text == ""
        await session.until("ForceEndTurn")
        await audio(session, 2 * (len(SPEECH) + PAD))
        assert (await segment(results))[-1].text == ""


async def test_a_sample_that_is_cut_in_two_is_put_together(
    fake: FakeDeepgram, nova: DeepgramHearing
) -> None:
    """Half a sample at a flush is dropped, or all later ones would be noise."""
    async with nova.open(NO_PARTIALS) as stream:
        stream.feed(SPEECH[:3333])
        stream.feed(SPEECH[3333:4001])
        stream.flush()
        stream.feed(SPEECH[:3200])
        assert await audio(fake.sessions[-1], 7200) == SPEECH[:4000] + SPEECH[:3200]


async def test_a_network_that_takes_nothing_does_not_fill_the_memory(
    nova: DeepgramHearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a minute of unsent audio is dropped; its flush is answered all the same."""
    monkeypatch.setattr(hearing_stream, "_LONGEST_WAIT_MS", 500)
    async with nova.open(NO_PARTIALS) as stream:
        # Nothing else runs in between, so that nothing is sent.
        stream.feed(SPEECH * 10)
        stream.flush()
        assert (await segment(aiter(stream)))[-1].flushed


async def test_a_stream_that_ended_takes_nothing(nova: DeepgramHearing) -> None:
    """After the provider was closed, or the connection failed, calls do nothing."""
    async with nova.open(NO_PARTIALS) as stream:
        await nova.close()
        stream.feed(SPEECH)
        stream.flush()
        stream.end()
        assert [result async for result in stream] == []


async def test_a_failure_is_raised_once_after_what_came_before(
    fake: FakeDeepgram, nova: DeepgramHearing
) -> None:
    """Results that were there are not lost; no deadline is left behind."""
    fake.fault = Fault(close={"KeepAlive": (1011, "See NET-0001")})
    async with nova.open(NO_PARTIALS) as stream:
        results = aiter(stream)
        await feed(stream, SPEECH)
        stream.flush()
        assert (await segment(results))[-1].text == "Hello there."
        stream.feed(SPEECH)
        stream.flush()
        await fake.sessions[-1].connection.close(1011, "See NET-0001")
        with pytest.raises(Unavailable, match="NET-0001"):
            await segment(results)
        stream.feed(SPEECH)
        stream.flush()


async def test_cancelling_whoever_iterates_leaves_the_stream_usable(nova: DeepgramHearing) -> None:
    """Another may go on with the results."""
    async with nova.open(NO_PARTIALS) as stream:
        waiting = asyncio.create_task(segment(aiter(stream)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        await feed(stream, SPEECH)
        stream.flush()
        assert (await segment(aiter(stream)))[-1].text == "Hello there."
