"""Realtime transcription sessions as a recogniser, against a fake that the vendor's SDK proved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, feed, heard, segment
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions, Recognised
from antiphon_providers.observer import Silent
from antiphon_providers.openai_realtime_transcription import (
    OpenAIRealtimeHearing,
    OpenAIRealtimeHearingOptions,
    session_of,
)
from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault

SPEECH = human_speech.clip("best").pcm
TRANSCRIPTION = "conversation.item.input_audio_transcription"
COMMIT = "input_audio_buffer.commit"


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAIRealtime]:
    """The vendor."""
    async with FakeOpenAIRealtime() as vendor:
        yield vendor


def hearing(fake: FakeOpenAIRealtime, **options: Any) -> OpenAIRealtimeHearing:
    """A recogniser at the fake."""
    given = {"api_key": KEY, "base_url": fake.url, **options}
    return OpenAIRealtimeHearing(OpenAIRealtimeHearingOptions(**given))


async def started(fake: FakeOpenAIRealtime, **options: Any) -> OpenAIRealtimeHearing:
    """The same, running."""
    provider = hearing(fake, **options)
    await provider.start()
    return provider


async def failure(provider: OpenAIRealtimeHearing) -> ProviderError:
    """What one segment fails with."""
    with pytest.raises(ProviderError) as failed:
        await heard(provider, SPEECH)
    return failed.value


class TestContract(SpeechToTextContract):
    """It keeps to what every recogniser must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeOpenAIRealtime) -> None:
        self.fake = fake

    def make(self) -> OpenAIRealtimeHearing:
        """At the fake."""
        return hearing(self.fake)

    def make_unreachable(self) -> OpenAIRealtimeHearing:
        """Where nobody listens."""
        return hearing(self.fake, base_url="ws://127.0.0.1:9/v1")


class TestContractAfterTheCommit(SpeechToTextContract):
    """Nor does it matter that a model tells its words only then."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeOpenAIRealtime) -> None:
        self.fake = fake

    def make(self) -> OpenAIRealtimeHearing:
        """At the fake."""
        return hearing(self.fake, model="gpt-transcribe")


async def test_a_session_says_what_the_call_needs(fake: FakeOpenAIRealtime) -> None:
    """Its intent is in the query, without a model; everything else in its one update."""
    provider = await started(fake, noise_reduction="far_field")
    options = HearingOptions(("Antiphon", "two words"), "A call.", ("de-CH", "en", "de-AT"))
    async with provider.open(options):
        pass
    connection = fake.connections[-1]
    assert connection.query == {"intent": ["transcription"]}
    assert connection.headers["Authorization"] == f"Bearer {KEY}"
    assert "OpenAI-Beta" not in connection.headers
    assert [event["session"] for event in connection.events] == [
        {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "noise_reduction": {"type": "far_field"},
                    "transcription": {
                        "model": "gpt-live-transcribe",
                        "languages": ["de", "en"],
                        "keywords": ["Antiphon", "two words"],
                        "prompt": "A call.",
                    },
                    "turn_detection": None,
                }
            },
        }
    ]


def test_nothing_is_asked_for_that_need_not_be() -> None:
    """No noise reduction, no hints."""
    heard_as = session_of(OpenAIRealtimeHearingOptions(), HearingOptions())["audio"]["input"]
    assert heard_as["noise_reduction"] is None
    assert heard_as["transcription"] == {"model": "gpt-live-transcribe"}


async def test_words_come_while_they_are_spoken(fake: FakeOpenAIRealtime) -> None:
    """Before the flush, each time all of the segment; then the whole transcript."""
    fake.transcripts = ["It was the best of times."]
    provider = await started(fake)
    async with provider.open(HearingOptions()) as stream:
        results = aiter(stream)
        await feed(stream, SPEECH)
        assert await anext(results) == Recognised("It")
        assert await anext(results) == Recognised("It was")
        assert COMMIT not in fake.connections[-1].types()
        stream.flush()
        assert (await segment(results))[-1] == Recognised("It was the best of times.", flushed=True)


async def test_segments_have_only_their_own_words(fake: FakeOpenAIRealtime) -> None:
    """Each flush is answered with what was fed since the one before."""
    provider = await started(fake)
    async with provider.open(HearingOptions()) as stream:
        results = aiter(stream)
        texts = []
        for _ in range(3):
            await feed(stream, SPEECH)
            stream.flush()
            texts.append((await segment(results))[-1].text)
    assert texts == ["Hello there.", "How are you?", "Goodbye."]


async def test_words_that_do_not_come_are_not_waited_for(fake: FakeOpenAIRealtime) -> None:
    """After ``final_ms`` what is known is final, and what comes late is of no other segment."""
    fake.fault = Fault(instead={f"{TRANSCRIPTION}.completed": []})
    provider = await started(fake, final_ms=100)
    async with provider.open(HearingOptions()) as stream:
        results = aiter(stream)
        await feed(stream, SPEECH)
        while (await anext(results)).text != "Hello there.":
            pass
        stream.flush()
        assert (await segment(results))[-1].text == "Hello there."
        fake.fault.instead.clear()
        item, late = fake.items()[0]["id"], "Hello there you."
        kind = f"{TRANSCRIPTION}.completed"
        await fake.connections[-1].send(kind, item_id=item, content_index=0, transcript=late)
        stream.feed(human_speech.silence(500))
        stream.flush()
        assert (await segment(results))[-1].text == ""


async def test_a_transcription_that_fails_can_be_asked_of_another(
    fake: FakeOpenAIRealtime,
) -> None:
    """The stream fails, in the vendor's words; the next session is whole."""
    fake.transcripts = [None, "Hello."]
    provider = await started(fake)
    failed = await failure(provider)
    assert type(failed) is Unavailable
    assert "It failed." in failed.message
    assert failed.provider == "openai-realtime"


async def test_a_commit_that_is_refused_has_no_words(fake: FakeOpenAIRealtime) -> None:
    """The vendor found less than 100 ms in it; the session goes on."""
    provider = await started(fake)
    fake.faults = [Fault(deaf={"input_audio_buffer.append"})]
    assert (await heard(provider, SPEECH))[-1] == Recognised("", flushed=True)
    assert (await heard(provider, SPEECH))[-1].text == "Hello there."


async def test_events_that_come_twice_count_once(fake: FakeOpenAIRealtime) -> None:
    """A commit confirmed twice is not the next one; a transcript is told once."""
    kinds = {f"{TRANSCRIPTION}.completed", "input_audio_buffer.committed", "session.created"}
    fake.fault = Fault(twice=kinds)
    provider = await started(fake, model="gpt-transcribe")
    async with provider.open(HearingOptions(partials=False)) as stream:
        for _ in range(3):
            await feed(stream, SPEECH)
            stream.flush()
        results = aiter(stream)
        texts = [(await segment(results))[-1].text for _ in range(3)]
    assert texts == ["Hello there.", "How are you?", "Goodbye."]


async def test_refusals_are_in_the_vendors_own_words(fake: FakeOpenAIRealtime) -> None:
    """A wrong key or model is found at the start; the key is in no message."""
    with pytest.raises(Refused, match="Incorrect API key") as key:
        await started(fake, api_key="another-key")
    assert (key.value.status_code, key.value.provider_code) == (401, "invalid_api_key")
    assert "another-key" not in key.value.message
    with pytest.raises(Refused, match="Invalid value: 'unknown-1'") as model:
        await started(fake, model="unknown-1")
    assert model.value.provider_code == "invalid_value"


def error(code: str | None, kind: str = "invalid_request_error", message: str = "No.") -> str:
    """An ``error`` event."""
    return json.dumps({"type": "error", "error": {"type": kind, "code": code, "message": message}})


APPEND = "input_audio_buffer.append"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), Unavailable),
        (Fault(status=500), Unavailable),
        (Fault(status=401), Refused),
        (Fault(hang=True), TooSlow),
        (Fault(mute=True), TooSlow),
        (Fault(deaf={"session.update"}), TooSlow),
        (Fault(close={"session.update": (3000, "invalid_request_error")}), Unavailable),
        (Fault(close={APPEND: (1011, "oops")}), Unavailable),
        (Fault(close={APPEND: (1000, "")}), Unavailable),
        (Fault(close={APPEND: (1006, "")}), Unavailable),
        (Fault(after={APPEND: ["no JSON"]}), Malformed),
        (Fault(after={APPEND: ["[]"]}), Malformed),
        (Fault(after={APPEND: ["{}"]}), Malformed),
        (Fault(after={APPEND: [b"sound"]}), Malformed),
        (Fault(after={APPEND: [f'{{"type": "{TRANSCRIPTION}.completed"}}']}), Malformed),
        (Fault(after={APPEND: ['{"type": "error", "error": 7}']}), Malformed),
        (Fault(after={APPEND: ["[" * 100_000]}), Malformed),
        (Fault(after={APPEND: ['{"type": "' + "x" * 5_000_000 + '"}']}), Malformed),
        (Fault(after={APPEND: [error("session_expired")]}), Unavailable),
        (Fault(after={APPEND: [error(None, "server_error")]}), Unavailable),
        (Fault(after={APPEND: [error("insufficient_quota")]}), Refused),
        (Fault(instead={"session.created": [error("invalid_api_key")]}), Refused),
    ],
)
async def test_each_failure_has_its_kind(
    fake: FakeOpenAIRealtime, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong with a session is one of our errors, from this provider."""
    provider = await started(fake, connect_ms=1000, first_ms=1000)
    fake.fault = fault
    failed = await failure(provider)
    assert type(failed) is kind
    assert failed.provider == "openai-realtime"
    if fault.headers:
        assert failed.retry_after_s == 7


async def test_events_of_other_types_are_left_alone(fake: FakeOpenAIRealtime) -> None:
    """Rate limits, and what is new."""
    told: list[str | bytes] = [json.dumps({"type": k}) for k in ("rate_limits.updated", "novelty")]
    fake.fault = Fault(after={APPEND: told})
    provider = await started(fake)
    assert (await heard(provider, SPEECH))[-1].text == "Hello there."


async def test_a_session_is_left_before_it_expires(fake: FakeOpenAIRealtime) -> None:
    """While nobody speaks."""
    fake.lasts_s = 2.0
    provider = await started(fake)
    async with provider.open(HearingOptions()) as stream:
        with pytest.raises(Unavailable, match="about to expire") as quiet:
            await segment(aiter(stream))
    assert quiet.value.provider_code == "session_expired"


async def test_an_old_session_hears_whoever_speaks_to_the_end(fake: FakeOpenAIRealtime) -> None:
    """And is left then."""
    provider = await started(fake)
    async with provider.open(HearingOptions(partials=False)) as stream:
        await feed(stream, SPEECH)
        stream.leave_after(0)
        is_old = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, is_old.set)
        await is_old.wait()
        stream.flush()
        results = aiter(stream)
        assert (await anext(results)).text == "Hello there."
        with pytest.raises(Unavailable, match="about to expire"):
            await segment(results)


async def test_nothing_opens_before_the_start_or_after_the_end(fake: FakeOpenAIRealtime) -> None:
    """A provider that does not run says so."""
    provider = hearing(fake)
    assert isinstance(await failure(provider), Unavailable)
    await provider.start()
    await provider.close()
    assert isinstance(await failure(provider), Unavailable)


async def test_connections_are_observed(fake: FakeOpenAIRealtime) -> None:
    """Each tells how long it took."""
    told: list[str] = []

    class Watching(Silent):
        def connected(self, provider: str, seconds: float) -> None:
            assert seconds >= 0
            told.append(provider)

    provider = hearing(fake)
    provider.observer = Watching()
    await provider.start()
    assert told == ["openai-realtime"]


def test_options_are_checked_and_show_no_key() -> None:
    """As text comes from settings."""
    options = OpenAIRealtimeHearingOptions(api_key="a-secret")
    assert "a-secret" not in repr(options)
    assert "a-secret" not in str(options.__rich_repr__())
    for wrong in ("http://user:pass@host", "ftp://host", "nothing", "ws://[", ""):
        with pytest.raises(ValueError, match="base_url"):
            OpenAIRealtimeHearingOptions(base_url=wrong)
    with pytest.raises(ValueError, match="api_key"):
        OpenAIRealtimeHearingOptions(api_key="two\nlines")


async def test_a_cancelled_call_leaves_nothing_behind(fake: FakeOpenAIRealtime) -> None:
    """Cancelling whoever holds the stream breaks the connection off."""
    provider = await started(fake)

    async def call() -> None:
        async with provider.open(HearingOptions()) as stream:
            stream.feed(SPEECH)
            await asyncio.Event().wait()

    calling = asyncio.create_task(call())
    await fake.until_opened(2)
    await fake.connections[-1].until(APPEND)
    calling.cancel()
    await asyncio.wait({calling})
    await fake.connections[-1].connection.wait_closed()
