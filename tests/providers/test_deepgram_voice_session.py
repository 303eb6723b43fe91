"""One connection to Aura: what it asks for, and when it is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_providers import deepgram_voice_session
from antiphon_providers.deepgram_voice_session import Request, VoiceSession
from antiphon_providers.deepgram_wire import Query, Wire, address_of
from antiphon_providers.errors import Malformed, ProviderError, TooSlow, Unavailable
from antiphon_providers.observer import SILENT
from antiphon_providers.vendor_options import VendorOptions
from antiphon_providers.vendor_socket import connect
from antiphon_providers.voice_session import Deadlines
from fakes.assemblyai_voice import sound
from fakes.deepgram import KEY, FakeDeepgram, Fault

QUERY: Query = {"model": "aura-2-thalia-en", "sample_rate": 24_000}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDeepgram]:
    """The vendor."""
    async with FakeDeepgram() as vendor:
        yield vendor


@asynccontextmanager
async def standing(fake: FakeDeepgram, ms: int = 400) -> AsyncIterator[VoiceSession]:
    """A connection that is served."""
    address = address_of(
        "deepgram", VendorOptions(base_url=fake.url, api_key=KEY), "/v1/speak", QUERY
    )
    async with connect(address, SILENT) as socket:
        session = VoiceSession(Wire(address, socket), Deadlines(ms, ms))
        running = asyncio.create_task(session.run())
        try:
            yield session
        finally:
            running.cancel()
            await asyncio.wait({running})


def ask(session: VoiceSession, sentence: str) -> Request:
    """A sentence that was asked for."""
    request = Request(sentence)
    session.say(request)
    return request


async def heard(request: Request) -> bytes:
    """All of its sound."""
    pcm = b""
    while not (chunk := await request.utterance.next()).ends:
        pcm += chunk.pcm
    return pcm


async def until_free(session: VoiceSession) -> None:
    """Returns when a speech may begin."""
    while not session.is_free:  # noqa: ASYNC110 - the confirmation is no event here.
        await asyncio.sleep(0)


async def failure(request: Request) -> ProviderError:
    """What it fails with."""
    with pytest.raises(ProviderError) as failed:
        await heard(request)
    return failed.value


async def test_sentences_are_answered_in_order(fake: FakeDeepgram) -> None:
    """Asked for at once, each has its own sound."""
    async with standing(fake) as session:
        requests = [ask(session, text) for text in ("One.", "Two.", "Three.")]
        assert [await heard(one) for one in requests] == [
            sound(text) for text in ("One.", "Two.", "Three.")
        ]


async def test_it_is_free_when_the_vendor_confirmed_that_all_is_cleared(fake: FakeDeepgram) -> None:
    """Not before; a speech that was heard to its end needs no ``Clear``."""
    async with standing(fake) as session:
        session.take()
        assert not session.is_free
        await heard(ask(session, "One."))
        session.release()
        assert session.is_free
        assert "Clear" not in fake.sessions[0].types()
        session.take()
        ask(session, "Two.")
        session.release()
        assert not session.is_free
        await until_free(session)
        assert await heard(ask(session, "Three.")) == sound("Three.")


async def test_what_comes_before_cleared_is_of_what_was_cleared(fake: FakeDeepgram) -> None:
    """Sound and the end of a sentence that were on their way; other frames say nothing."""
    fake.fault = Fault(
        after={"Clear": [b"\1\2", '{"type": "Flushed"}'], "Speak": ['{"type": "New"}']},
        delays={"Flushed": 0.05},
    )
    async with standing(fake) as session:
        first = ask(session, "One.")
        assert (await first.utterance.next()).pcm
        session.release()
        await until_free(session)
        assert await heard(ask(session, "Two.")) == sound("Two.")
        await fake.sessions[0].connection.send('{"type": "Cleared"}')
        assert await heard(ask(session, "Three.")) == sound("Three.")


async def test_it_takes_twenty_sentences_in_a_minute(
    fake: FakeDeepgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor leaves the next alone; a minute after the first there is room again."""
    async with standing(fake) as session:
        for number in range(20):
            assert session.has_room
            await heard(ask(session, f"Number {number}."))
        assert not session.has_room
        assert not session.is_free
        monkeypatch.setattr(deepgram_voice_session, "_FLUSHES_S", 0.0)
        assert session.has_room


async def test_it_is_too_old_before_the_vendor_ends_it(
    fake: FakeDeepgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No speech begins on a connection that is about to end."""
    async with standing(fake) as session:
        monkeypatch.setattr(deepgram_voice_session, "OLDEST_S", 0.0)
        assert not session.is_free


async def test_an_idle_one_says_goodbye(
    fake: FakeDeepgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``Close``; what is asked for afterwards fails at once."""
    monkeypatch.setattr(deepgram_voice_session, "_LONGEST_IDLE_S", 0.02)
    async with standing(fake) as session:
        await fake.sessions[0].until("Close")
        await fake.sessions[0].connection.wait_closed()
        assert isinstance(await failure(ask(session, "One.")), Unavailable)


async def test_one_failure_is_that_of_all_sentences(fake: FakeDeepgram) -> None:
    """Those that wait, and those that come later."""
    fake.fault = Fault(deaf={"Flush"})
    async with standing(fake, ms=50) as session:
        requests = [ask(session, "One."), ask(session, "Two.")]
        failures = [await failure(one) for one in requests]
        failures.append(await failure(ask(session, "Three.")))
    assert [type(one) for one in failures] == [TooSlow] * 3


async def test_sound_without_end_is_malformed(
    fake: FakeDeepgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sentence is longer than ten minutes."""
    monkeypatch.setattr(deepgram_voice_session, "MAX_PCM", 1000)
    async with standing(fake) as session:
        assert isinstance(await failure(ask(session, "One.")), Malformed)
