"""Sessions of AssemblyAI's voices, when the vendor does not keep to its wire."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.assemblyai_text_to_speech import AssemblyAIVoice, AssemblyAIVoiceOptions
from antiphon_providers.assemblyai_voice_session import VoiceSession
from antiphon_providers.assemblyai_wire import Wire
from antiphon_providers.contract.text_to_speech import each, pcm_of, spoken
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.vendor_socket import Address
from antiphon_providers.voice_session import Deadlines
from fakes.assemblyai import KEY, FakeAssemblyAI, Fault
from fakes.assemblyai_voice import sound


async def says(
    fault: Fault, *sentences: str, **changes: object
) -> tuple[list[Sound], ProviderError | None, FakeAssemblyAI]:
    """What is heard, and the error that ended it."""
    heard: list[Sound] = []
    error: ProviderError | None = None
    async with FakeAssemblyAI() as fake:
        fake.fault = fault
        given = {"api_key": KEY, "base_url": fake.url, **changes}
        provider = AssemblyAIVoice(AssemblyAIVoiceOptions(**given))  # type: ignore[arg-type]
        await provider.start()
        try:
            async for one in provider.speak(each(*sentences), VoiceOptions("anna")):
                heard.append(one)  # noqa: PERF401 - what came before the error must be kept
        except ProviderError as failure:
            error = failure
        await provider.close()
    if error is not None:
        assert error.provider == "assemblyai"
        assert KEY not in repr(error)
    return heard, error, fake


def audio(pcm: bytes, flush_id: int = 0) -> str:
    """A frame of sound."""
    return json.dumps(
        {"type": "Audio", "flush_id": flush_id, "audio": base64.b64encode(pcm).decode()}
    )


def done(flush_id: int = 0) -> str:
    """A frame that ends a sentence."""
    return json.dumps({"type": "FlushDone", "flush_id": flush_id, "audio_duration_ms": 1})


def boundaries(*words: str, flush_id: int = 0) -> str:
    """A frame with words of 10 ms each."""
    timed = [{"word": word, "start": 10 * at, "end": 10 * at + 9} for at, word in enumerate(words)]
    return json.dumps(
        {"type": "WordBoundaries", "flush_id": flush_id, "audio_start_ms": 0, "words": timed}
    )


def scripted(*frames: str | bytes) -> Fault:
    """The vendor answers the first ``Flush`` with these frames and nothing else."""
    return Fault(after={"Flush": list(frames)}, deaf={"Flush"})


async def test_long_texts_are_sent_in_pieces_that_the_vendor_takes() -> None:
    """2000 characters at most."""
    text = "word " * 900
    heard, error, fake = await says(Fault(), text)
    assert error is None
    assert pcm_of(heard) == sound(text)
    pieces = [frame["text"] for frame in fake.sessions[0].frames if frame["type"] == "Generate"]
    assert ("".join(pieces), max(map(len, pieces))) == (text, 2000)


async def test_a_sentence_without_words_is_not_asked_for() -> None:
    """It ends without a sound."""
    heard, error, fake = await says(Fault(), "\u2026", "", "Hello.")
    assert error is None
    assert [one.sentence for one in heard if one.ends] == [0, 1, 2]
    assert fake.sessions[0].types().count("Flush") == 1


async def test_samples_that_are_cut_in_two_are_put_together() -> None:
    """Each sound has whole ones."""
    fault = scripted(audio(b"\1"), audio(b"\2\3\4"), audio(b"\5\6\7"), done(), boundaries("Hi"))
    heard, error, _ = await says(fault, "Hi")
    assert error is None
    assert [one.pcm for one in heard] == [b"\1\2\3\4", b"\5\6", b""]


async def test_a_sentence_ends_though_the_times_of_its_words_do_not_come() -> None:
    """They are best effort; wrong ones are none."""
    for last in ((), (boundaries("Other", "words"),)):
        heard, error, _ = await says(scripted(audio(b"\1\2"), done(), *last), "Hi there")
        assert error is None
        assert heard[-1] == Sound(b"", 0, ends=True)


async def test_times_run_forwards_whatever_the_vendor_says() -> None:
    """A word begins where the one before ended, at the earliest."""
    words = [{"word": "Hi", "start": 5, "end": 90}, {"word": "there", "start": 40, "end": 20}]
    told = {"type": "WordBoundaries", "flush_id": 0, "audio_start_ms": 30, "words": words}
    heard, _, _ = await says(scripted(audio(b"\1\2"), done(), json.dumps(told)), "Hi there")
    assert [(one.start_ms, one.end_ms) for one in heard[-1].words] == [(0, 60), (60, 60)]


async def test_sound_of_other_requests_is_not_heard() -> None:
    """Nor what comes after the end of one's own."""
    frames = (audio(b"\7\7", 9), audio(b"\1\2"), done(9), done(), audio(b"\7\7"), done())
    heard, error, _ = await says(scripted(*frames, boundaries("Hi")), "Hi")
    assert error is None
    assert pcm_of(heard) == b"\1\2"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (scripted("garbage"), Malformed),
        (scripted('{"type": "Audio", "flush_id": 0'), Malformed),
        (scripted('{"type": "Audio", "flush_id": 0}'), Malformed),
        (scripted('{"type": "Audio", "flush_id": "0", "audio": ""}'), Malformed),
        (scripted('{"type": "Audio", "flush_id": 0, "audio": "?!"}'), Malformed),
        (scripted('{"type": "Audio", "flush_id": 0, "audio": "\u00e4\u00e4"}'), Malformed),
        (scripted('{"type": "FlushDone"}'), Malformed),
        (scripted('{"type": "WordBoundaries", "flush_id": 0, "words": [7]}'), Malformed),
        (scripted(b"\xff\xff"), Malformed),
        (scripted("x" * (5 * 1024 * 1024)), Malformed),
        (scripted(done()), Malformed),
        (scripted('{"type": "Error", "error_code": 3005, "error": "x"}'), Unavailable),
        (
            scripted('{"type": "Error", "error_code": 3010, "retryable": false, "error": "x"}'),
            Refused,
        ),
        (Fault(close={"Flush": 3005}), Unavailable),
        (Fault(close={"Flush": 1000}), Unavailable),
        (Fault(close={"Generate": 1006}), Unavailable),
        (Fault(close={"Generate": 1008}), Refused),
    ],
)
async def test_a_session_that_breaks_fails_the_speech(
    fault: Fault, kind: type[ProviderError]
) -> None:
    """Garbage, half a frame, wrong types, no sound, errors, early ends."""
    heard, error, _ = await says(fault, "Hello there.")
    assert type(error) is kind
    assert pcm_of(heard) == b""


async def test_a_vendor_that_gives_no_sound_is_too_slow() -> None:
    """At first, and in the middle of a sentence."""
    heard, error, _ = await says(scripted(), "Hello.", first_ms=500)
    assert isinstance(error, TooSlow)
    assert heard == []
    heard, error, _ = await says(scripted(audio(b"\1\2")), "Hello.", progress_ms=100)
    assert isinstance(error, TooSlow)
    assert pcm_of(heard) == b"\1\2"


async def test_a_writer_that_takes_its_time_is_no_fault_of_the_vendor() -> None:
    """No sound is due while there is no sentence."""
    async with FakeAssemblyAI() as fake:
        provider = AssemblyAIVoice(AssemblyAIVoiceOptions(api_key=KEY, base_url=fake.url))
        await provider.start()
        (session,) = provider._pool.sessions.values()
        ended = asyncio.Event()

        async def written() -> AsyncIterator[str]:
            yield "Hello."
            assert session._deadline.is_set
            await ended.wait()
            assert not session._deadline.is_set
            yield "Goodbye."

        sounds: list[Sound] = []
        async for one in provider.speak(written(), VoiceOptions("anna")):
            sounds.append(one)
            if one.ends:
                ended.set()
        assert pcm_of(sounds) == sound("Hello.") + sound("Goodbye.")
        await provider.close()


async def test_sound_without_end_is_not_taken() -> None:
    """Ten minutes for a sentence."""
    piece = audio(bytes(2 * 1024 * 1024))
    _, error, _ = await says(scripted(*[piece] * 16), "Hello.")
    assert isinstance(error, Malformed)


async def test_a_session_that_is_idle_is_kept_alive_and_later_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With signs of life, until nobody has wanted it for long."""
    monkeypatch.setattr("antiphon_providers.assemblyai_voice_session._KEEP_ALIVE_S", 0.01)
    async with FakeAssemblyAI() as fake:
        options = AssemblyAIVoiceOptions(api_key=KEY, base_url=fake.url)
        provider = AssemblyAIVoice(options)
        await provider.start()
        session = fake.sessions[0]
        await session.until("KeepAlive", 2)
        monkeypatch.setattr("antiphon_providers.assemblyai_voice_session._LONGEST_IDLE_S", 0.0)
        await session.connection.wait_closed()
        monkeypatch.undo()
        assert pcm_of(await spoken(provider, "anna", "Hello.")) == sound("Hello.")
        assert len(fake.sessions) == 2
        await provider.close()


async def test_a_session_that_does_not_confirm_a_cancel_is_not_used_again() -> None:
    """The next reply has another."""
    async with FakeAssemblyAI() as fake:
        fake.faults = [Fault(deaf={"Cancel"})]
        options = AssemblyAIVoiceOptions(api_key=KEY, base_url=fake.url)
        provider = AssemblyAIVoice(options)
        await provider.start()
        sounds = provider.speak(each("A long sentence. " * 20), VoiceOptions("anna"))
        await anext(sounds)
        await sounds.aclose()
        assert pcm_of(await spoken(provider, "anna", "Hello.")) == sound("Hello.")
        assert len(fake.sessions) == 2
        await provider.close()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
WORDS = st.fixed_dictionaries({"word": VALUES, "start": VALUES, "end": VALUES})
FRAMES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Audio", "FlushDone", "WordBoundaries", "Cancelled", "New"]),
        "flush_id": st.sampled_from([0, 1]) | VALUES,
        "audio": st.sampled_from(["AAAA", "AAA="]) | VALUES,
        "audio_start_ms": st.integers(-9, 9) | VALUES,
        "words": st.lists(WORDS, max_size=3) | VALUES,
    }
)


@given(st.lists(FRAMES, max_size=8))
def test_frames_of_any_content_are_taken_or_end_the_session(
    frames: list[dict[str, object]],
) -> None:
    """Nothing but a wrong value, a type or a ``ProviderError`` comes out of them."""

    async def receive() -> None:
        wire = Wire(Address("assemblyai", "ws://127.0.0.1"), None)  # type: ignore[arg-type]
        session = VoiceSession(wire, Deadlines(1000, 1000))
        first, second = session.say("Hello there."), session.say("Goodbye.")
        try:
            for received in frames:
                session._take(received)
        except (ProviderError, msgspec.ValidationError, ValueError, OverflowError):
            pass
        session.end()
        for utterance in (first, second):
            with contextlib.suppress(ProviderError):
                while not (await utterance.next()).ends:
                    pass

    asyncio.run(receive())
