"""The AssemblyAI recogniser against a fake of its wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec import structs

from antiphon_providers.assemblyai_speech_to_text import (
    AssemblyAIHearing,
    AssemblyAIHearingOptions,
    AssemblyAITongue,
    query_of,
)
from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, feed, heard, segment
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions, Recognised
from antiphon_providers.observer import Silent
from fakes.assemblyai import KEY, FakeAssemblyAI, Fault

SPEECH = human_speech.clip("best").pcm


def hearing(fake: FakeAssemblyAI, **changes: object) -> AssemblyAIHearing:
    """A recogniser for the fake."""
    given = {"api_key": KEY, "base_url": fake.url, "final_ms": 2000, **changes}
    return AssemblyAIHearing(AssemblyAIHearingOptions(**given))  # type: ignore[arg-type]


@asynccontextmanager
async def running(fake: FakeAssemblyAI, **changes: object) -> AsyncIterator[AssemblyAIHearing]:
    """One that runs; its first session was the one of ``start``."""
    provider = hearing(fake, **changes)
    await provider.start()
    yield provider
    await provider.close()


class TestAssemblyAIHearing(SpeechToTextContract):
    """It keeps to the contract."""

    @pytest.fixture(autouse=True)
    async def fake(self) -> AsyncIterator[FakeAssemblyAI]:
        """The vendor."""
        async with FakeAssemblyAI() as fake:
            self.vendor = fake
            yield fake

    def make(self) -> AssemblyAIHearing:
        """With a fake of its own."""
        return hearing(self.vendor)


class TestAssemblyAIHearingWithGradedTurns(TestAssemblyAIHearing):
    """The models of the other family keep to it too."""

    def make(self) -> AssemblyAIHearing:
        """With formatted finals."""
        return hearing(self.vendor, model="universal-streaming-english", format_turns=True)


# --- what is asked -----------------------------------------------------------------------


def test_a_sessions_parameters_say_all_that_is_known_of_a_call() -> None:
    """In the vendor's names and within its limits."""
    mine = AssemblyAIHearingOptions(model="u3-rt-pro", extra_query='{"vad_threshold": 0.3}')
    options = HearingOptions(
        keyterms=tuple(f"term {number}" for number in range(120)),
        prompt="p" * 3000,
        language_codes=("en-US", "EN", "de"),
        pause_ms=20,
        longest_pause_ms=1500,
    )
    query = query_of(mine, options)
    assert json.loads(query.pop("keyterms_prompt")) == [f"term {number}" for number in range(100)]
    assert query == {
        "speech_model": "u3-rt-pro",
        "sample_rate": "16000",
        "encoding": "pcm_s16le",
        "language_codes": '["en","de"]',
        "prompt": "p" * 1750,
        "min_turn_silence": "50",
        "max_turn_silence": "1500",
        "vad_threshold": "0.3",
    }


def test_what_a_model_does_not_know_is_not_said() -> None:
    """A prompt is for one family, formatting for the other."""
    graded = AssemblyAIHearingOptions(model="universal-streaming-english", language="en")
    query = query_of(graded, HearingOptions(prompt="hint"))
    assert query["format_turns"] == "false"
    assert query["language_codes"] == '["en"]'
    assert "prompt" not in query
    assert "format_turns" not in query_of(AssemblyAIHearingOptions(), HearingOptions())


def test_options_that_cannot_be_are_refused_and_the_key_is_not_shown() -> None:
    """Where the server reads its settings."""
    for wrong in ({"base_url": "x"}, {"extra_query": "[1]"}, {"api_key": "a b"}):
        with pytest.raises(ValueError, match=r"base_url|JSON|api_key"):
            AssemblyAIHearingOptions(**wrong)  # type: ignore[arg-type]
    options = AssemblyAIHearingOptions(api_key=KEY)
    assert KEY not in f"{options!r} {options.__rich_repr__()}"


async def test_a_call_is_one_session_with_the_key_in_its_header() -> None:
    """It is told goodbye at the end; the connection is observed."""
    seen: list[str] = []

    class Noting(Silent):
        def connected(self, provider: str, seconds: float) -> None:
            assert seconds > 0
            seen.append(provider)

    async with FakeAssemblyAI() as fake, running(fake) as provider:
        provider.observer = Noting()
        async with provider.open(HearingOptions(keyterms=("Antiphon",))):
            await fake.until_opened(2)
        session = fake.sessions[1]
        await session.until("Terminate")
        assert session.headers["Authorization"] == KEY
        assert session.query["keyterms_prompt"] == '["Antiphon"]'
    assert seen == ["assemblyai"]


# --- what is heard -----------------------------------------------------------------------


async def test_words_come_as_they_are_spoken_and_at_last_punctuated() -> None:
    """Partials grow; a flush forces the end; all audio went up, in whole frames."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        results = await heard(provider, SPEECH)
        assert next(one.text for one in results if not one.flushed) == "Hello"
        assert results[-1] == Recognised("Hello there.", flushed=True)
        session = fake.sessions[1]
        assert session.types()[0] == "ForceEndpoint"
        assert len(session.audio) % 1600 == 0
        assert bytes(session.audio).startswith(SPEECH)


async def test_a_turn_that_the_vendor_ended_has_its_verdict() -> None:
    """And the flush after it is answered from what is known, though the vendor is deaf."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        fake.ends_turns = True
        fake.fault = Fault(deaf={"ForceEndpoint"})
        async with provider.open(HearingOptions(pause_ms=500)) as stream:
            results = aiter(stream)
            await feed(stream, SPEECH)
            await feed(stream, human_speech.silence(600))
            while (ended := await anext(results)).turn_over is None:
                pass
            assert ended == Recognised("Hello there.", turn_over=1.0)
            stream.flush()
            answer = (await segment(results))[-1]
            assert answer == Recognised("Hello there.", flushed=True, turn_over=1.0)


async def test_segments_have_only_their_own_words() -> None:
    """Speech, nothing, speech, flushed at once: the vendor's turns go where they belong."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        async with provider.open(HearingOptions(partials=False)) as stream:
            for pcm in (SPEECH, b"", SPEECH, human_speech.silence(400), SPEECH):
                await feed(stream, pcm)
                stream.flush()
            results = aiter(stream)
            texts = [(await segment(results))[-1].text for _ in range(5)]
        assert texts == ["Hello there.", "", "How are you?", "", "Goodbye."]


async def test_a_flush_is_answered_in_time_though_the_vendor_says_nothing() -> None:
    """With what was known; what comes late is dropped."""
    async with FakeAssemblyAI() as fake, running(fake, final_ms=50) as provider:
        fake.fault = Fault(deaf={"ForceEndpoint"})
        async with provider.open(HearingOptions()) as stream:
            results = aiter(stream)
            await feed(stream, SPEECH)
            while (await anext(results)).text != "Hello there.":
                pass
            stream.flush()
            assert (await segment(results))[-1] == Recognised("Hello there.", flushed=True)


async def test_a_session_that_nobody_speaks_in_is_kept_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For as long as a caller is silent; then it hears as before."""
    often = structs.replace(AssemblyAITongue.terms, keep_alive_s=0.01)
    monkeypatch.setattr(AssemblyAITongue, "terms", often)
    async with (
        FakeAssemblyAI() as fake,
        running(fake) as provider,
        provider.open(HearingOptions()) as stream,
    ):
        await fake.sessions[1].until("KeepAlive", 3)
        await feed(stream, SPEECH)
        stream.flush()
        assert (await segment(aiter(stream)))[-1].text == "Hello there."


async def test_what_comes_after_the_end_is_not_taken() -> None:
    """Feeding and flushing a call that is over does nothing."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        async with provider.open(HearingOptions()) as stream:
            pass
        stream.feed(SPEECH)
        stream.flush()
        assert [one async for one in stream] == []


# --- what goes wrong ---------------------------------------------------------------------


async def opening_fails(fault: Fault, **changes: object) -> ProviderError:
    """What ``start`` raises where this happens."""
    async with FakeAssemblyAI() as fake:
        fake.fault = fault
        provider = hearing(fake, **changes)
        with pytest.raises(ProviderError) as raised:
            await provider.start()
        await provider.close()
    assert raised.value.provider == "assemblyai"
    assert KEY not in f"{raised.value!r}"
    return raised.value


async def test_a_wrong_key_is_refused_when_the_server_starts() -> None:
    """In the vendor's own words, which come after the upgrade."""
    error = await opening_fails(Fault(), api_key="wrong")
    assert isinstance(error, Refused)
    assert (error.provider_code, "Invalid API key" in error.message) == ("1008", True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=401, body=b'{"error": "no"}'), Refused),
        (Fault(status=404), Refused),
        (Fault(status=429, headers={"Retry-After": "7"}), Unavailable),
        (Fault(status=500), Unavailable),
        (Fault(error={"error_code": 3006, "error": "Invalid 'speech_model'"}), Refused),
        (Fault(error={"error_code": 3009, "error": "Too many sessions"}), Unavailable),
        (Fault(error={"error_code": 1008, "error": "Too many concurrent sessions"}), Unavailable),
    ],
)
async def test_a_session_that_is_not_begun_has_the_vendors_reason(
    fault: Fault, kind: type[ProviderError]
) -> None:
    """Whether it is a status or a frame."""
    error = await opening_fails(fault)
    assert type(error) is kind
    assert error.retry_after_s == (7.0 if fault.status == 429 else None)


async def test_a_vendor_that_hangs_is_too_slow() -> None:
    """At the handshake, and after it."""
    assert isinstance(await opening_fails(Fault(hang=True), connect_ms=50), TooSlow)
    assert isinstance(await opening_fails(Fault(mute=True), first_ms=50), TooSlow)


async def test_a_provider_that_does_not_run_opens_nothing() -> None:
    """Before its start and after its end."""
    async with FakeAssemblyAI() as fake:
        provider = hearing(fake)
        with pytest.raises(Unavailable):
            async with provider.open(HearingOptions()):
                pass
        assert fake.sessions == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(close={"Audio": 3005}), Unavailable),
        (Fault(close={"Audio": 1008}), Refused),
        (Fault(close={"Audio": 1006}), Unavailable),
        (Fault(close={"Audio": 1000}), Unavailable),
        (Fault(after={"Audio": ["garbage"]}), Malformed),
        (Fault(after={"Audio": ['{"type": "Turn", "turn_order": 0']}), Malformed),
        (Fault(after={"Audio": ['{"type": "Turn", "turn_order": "first"}']}), Malformed),
        (Fault(after={"Audio": ['{"type": "Turn", "words": 7}']}), Malformed),
        (Fault(after={"Audio": ["[" * 100_000]}), Malformed),
        (Fault(after={"Audio": [b"\xff" * 100]}), Malformed),
        (Fault(after={"Audio": ["x" * (5 * 1024 * 1024)]}), Malformed),
        (
            Fault(after={"Audio": ['{"type": "Error", "error_code": 3008, "error": "old"}']}),
            Unavailable,
        ),
    ],
)
async def test_a_session_that_breaks_ends_the_iteration_with_a_reason(
    fault: Fault, kind: type[ProviderError]
) -> None:
    """Closed, broken off, garbage, half a frame, too long a frame, an error."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        fake.fault = fault
        with pytest.raises(ProviderError) as raised:
            await heard(provider, SPEECH)
        assert type(raised.value) is kind
        assert raised.value.provider == "assemblyai"


@pytest.mark.parametrize("words", [None, {}, [[]], [{"text": 1, "start": 0, "end": 1}], "words"])
async def test_a_turn_with_words_that_are_none_is_malformed(words: object) -> None:
    """Whatever is in their place."""
    fields = {"turn_order": 0, "transcript": "", "end_of_turn": False, "words": words}
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        fake.fault = Fault(after={"Audio": [json.dumps({"type": "Turn", **fields})]})
        with pytest.raises(Malformed):
            await heard(provider, SPEECH)


async def test_frames_of_other_kinds_are_left_alone() -> None:
    """The vendor may add some."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        fake.fault = Fault(
            after={"Audio": ['{"type": "Warning", "warning_code": 1}', '{"type": "New"}', "{}"]}
        )
        assert (await heard(provider, SPEECH))[-1].text == "Hello there."


async def test_a_call_that_is_cancelled_leaves_the_vendor_at_once() -> None:
    """The connection goes without waiting for an answer."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:

        async def call() -> None:
            async with provider.open(HearingOptions()) as stream:
                stream.feed(SPEECH)
                async for _ in stream:
                    pass

        calling = asyncio.create_task(call())
        await fake.until_opened(2)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await fake.sessions[1].connection.wait_closed()
