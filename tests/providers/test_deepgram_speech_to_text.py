"""Nova as a recogniser, against a fake that the vendor's SDK has proven."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, feed, heard, segment
from antiphon_providers.deepgram_speech_to_text import (
    DeepgramHearing,
    DeepgramHearingOptions,
    NovaTongue,
    query_of,
)
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions
from antiphon_providers.observer import Silent
from fakes.deepgram import KEY, FakeDeepgram, Fault

SPEECH = human_speech.clip("best").pcm


@pytest.fixture
async def fake() -> AsyncIterator[FakeDeepgram]:
    """The vendor."""
    async with FakeDeepgram() as vendor:
        yield vendor


def hearing(fake: FakeDeepgram, **options: Any) -> DeepgramHearing:
    """Nova at the fake."""
    return DeepgramHearing(
        DeepgramHearingOptions(**{"api_key": KEY, "base_url": fake.url, **options})
    )


async def started(fake: FakeDeepgram, **options: Any) -> DeepgramHearing:
    """Nova at the fake, running."""
    provider = hearing(fake, **options)
    await provider.start()
    return provider


async def failure(provider: DeepgramHearing) -> ProviderError:
    """What one segment fails with."""
    with pytest.raises(ProviderError) as failed:
        await heard(provider, SPEECH)
    return failed.value


class TestContract(SpeechToTextContract):
    """Nova keeps to what every recogniser must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeDeepgram) -> None:
        self.fake = fake

    def make(self) -> DeepgramHearing:
        """Nova at the fake."""
        return hearing(self.fake)


async def test_a_connection_says_what_the_call_needs(fake: FakeDeepgram) -> None:
    """Audio's form, model, language and key terms are parameters; the key is a header."""
    provider = await started(fake, extra_query='{"mip_opt_out": true, "tag": ["a", "b"]}')
    options = HearingOptions(keyterms=("Antiphon", "two words"), language_codes=("de",))
    async with provider.open(options):
        pass
    session = fake.sessions[-1]
    assert session.headers["Authorization"] == f"Token {KEY}"
    assert session.query == {
        "model": ["nova-3"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "channels": ["1"],
        "interim_results": ["true"],
        "punctuate": ["true"],
        "smart_format": ["false"],
        "endpointing": ["false"],
        "language": ["de"],
        "keyterm": ["Antiphon", "two words"],
        "mip_opt_out": ["true"],
        "tag": ["a", "b"],
    }


def test_what_the_model_does_not_know_is_not_asked_for() -> None:
    """Only ``nova-3`` takes key terms; several languages are its ``multi``."""
    many = HearingOptions(keyterms=("Antiphon",), language_codes=("en", "es"))
    old = query_of(DeepgramHearingOptions(model="nova-2"), many)
    assert old["keyterm"] == ()
    assert old["language"] == "multi"
    mine = query_of(DeepgramHearingOptions(language="fr"), HearingOptions())
    assert mine["language"] == "fr"


async def test_audio_goes_up_in_pieces_of_50_ms_and_whole(fake: FakeDeepgram) -> None:
    """All that was fed before a flush is sent before ``Finalize``."""
    provider = await started(fake)
    await heard(provider, SPEECH)
    session = fake.sessions[-1]
    assert bytes(session.audio) == SPEECH
    assert session.types()[0] == "Finalize"


async def test_segments_have_only_their_own_words(fake: FakeDeepgram) -> None:
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


async def test_silence_is_answered_without_asking(fake: FakeDeepgram) -> None:
    """A flush behind nothing but silence sends no ``Finalize``, which might not be answered."""
    provider = await started(fake)
    assert (await heard(provider, human_speech.silence(400)))[-1].text == ""
    assert "Finalize" not in fake.sessions[-1].types()


async def test_a_finalize_without_answer_gives_what_is_known(fake: FakeDeepgram) -> None:
    """After ``final_ms`` the words that were told so far are final."""
    fake.fault = Fault(deaf={"Finalize"})
    provider = await started(fake, final_ms=150)
    results = await heard(provider, SPEECH)
    assert results[-1].flushed
    assert results[-1].text in {"Hello there.", "Hello"}


async def test_a_late_answer_is_not_of_the_next_segment(fake: FakeDeepgram) -> None:
    """Words of a segment that was given up do not come again in the next."""
    late = {
        "type": "Results",
        "start": 0.0,
        "duration": len(SPEECH) / 32_000,
        "is_final": True,
        "from_finalize": True,
        "channel": {"alternatives": [{"transcript": "Hello there."}]},
    }
    provider = await started(fake, final_ms=100)
    fake.fault = Fault(deaf={"Finalize"})
    async with provider.open(HearingOptions(partials=False)) as stream:
        results = aiter(stream)
        await feed(stream, SPEECH)
        stream.flush()
        await segment(results)
        await fake.sessions[-1].connection.send(json.dumps(late))
        stream.feed(human_speech.silence(50))
        stream.flush()
        assert (await segment(results))[-1].text == ""


async def test_refusals_are_in_the_vendors_own_words(fake: FakeDeepgram) -> None:
    """A wrong key or model is found at the start; the key is in no message."""
    with pytest.raises(Refused, match=r"Invalid credentials\.") as key:
        await started(fake, api_key="another-key")
    assert key.value.status_code == 401
    assert "another-key" not in key.value.message
    with pytest.raises(Refused, match="No such model: whisper") as model:
        await started(fake, model="whisper")
    assert model.value.status_code == 400


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), Unavailable),
        (Fault(status=503), Unavailable),
        (Fault(hang=True), TooSlow),
        (Fault(close={"Audio": (1011, "See NET-0001")}), Unavailable),
        (Fault(close={"Audio": (1008, "See DATA-0000")}), Refused),
        (Fault(close={"Audio": (1000, "")}), Unavailable),
        (Fault(close={"Audio": (1006, "")}), Unavailable),
        (Fault(after={"Audio": ["no JSON"]}), Malformed),
        (Fault(after={"Audio": ["[]"]}), Malformed),
        (Fault(after={"Audio": ["{}"]}), Malformed),
        (Fault(after={"Audio": [b"sound"]}), Malformed),
        (Fault(after={"Audio": ['{"type": "Results"}']}), Malformed),
        (Fault(after={"Audio": ['{"type": "Results", "start": "x", "duration": 1}']}), Malformed),
        (Fault(after={"Audio": ["[" * 100_000]}), Malformed),
        (Fault(after={"Audio": ['{"type": "Error", "variant": "SchemaError"}']}), Refused),
        (Fault(after={"Audio": ['{"type": "Error", "description": "no GPU"}']}), Unavailable),
    ],
)
async def test_each_failure_has_its_kind(
    fake: FakeDeepgram, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong with a connection is one of our errors, from this provider."""
    provider = await started(fake, connect_ms=300)
    fake.fault = fault
    failed = await failure(provider)
    assert type(failed) is kind
    assert failed.provider == "deepgram"
    if fault.headers:
        assert failed.retry_after_s == 7


async def test_frames_of_other_types_are_left_alone(fake: FakeDeepgram) -> None:
    """``Metadata``, ``SpeechStarted`` and what is new say nothing."""
    said: list[str | bytes] = [
        json.dumps({"type": kind}) for kind in ("Metadata", "SpeechStarted", "Novelty")
    ]
    fake.fault = Fault(after={"Audio": said})
    provider = await started(fake)
    assert (await heard(provider, SPEECH))[-1].text == "Hello there."


def test_a_result_without_alternatives_has_no_words() -> None:
    """The vendor heard, and heard nothing."""
    said = {"type": "Results", "start": 1.0, "duration": 0.5, "channel": {"alternatives": []}}
    told = NovaTongue(1000, partials=True).told(said)
    assert told is not None
    assert (told.text, told.end_s, told.is_final) == ("", 1.5, False)


async def test_leaving_closes_the_vendors_stream(fake: FakeDeepgram) -> None:
    """``CloseStream`` is said and the connection is over."""
    provider = await started(fake)
    async with provider.open(HearingOptions()) as stream:
        stream.feed(SPEECH)
    await fake.sessions[-1].until("CloseStream")


async def test_nothing_opens_before_the_start_or_after_the_end(fake: FakeDeepgram) -> None:
    """A provider that does not run says so."""
    provider = hearing(fake)
    assert isinstance(await failure(provider), Unavailable)
    await provider.start()
    await provider.close()
    assert isinstance(await failure(provider), Unavailable)


async def test_connections_are_observed(fake: FakeDeepgram) -> None:
    """Each tells how long it took."""
    told: list[str] = []

    class Watching(Silent):
        def connected(self, provider: str, seconds: float) -> None:
            assert seconds >= 0
            told.append(provider)

    provider = hearing(fake)
    provider.observer = Watching()
    await provider.start()
    assert told == ["deepgram"]


def test_the_key_is_the_vendors_variable_only_at_its_own_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Options that name another address get no key from the environment; none shows one."""
    options = DeepgramHearingOptions(api_key="a-secret")
    assert "a-secret" not in repr(options)
    assert "a-secret" not in str(options.__rich_repr__())
    monkeypatch.setenv("DEEPGRAM_API_KEY", "from-the-environment")
    for wrong in ("http://user:pass@host", "ftp://host", "nothing", "ws://[", ""):
        with pytest.raises(ValueError, match="base_url"):
            DeepgramHearingOptions(base_url=wrong)
    with pytest.raises(ValueError, match="api_key"):
        DeepgramHearingOptions(api_key="two\nlines")
    with pytest.raises(ValueError, match="JSON"):
        DeepgramHearingOptions(extra_query="[")


async def test_a_cancelled_call_leaves_nothing_behind(fake: FakeDeepgram) -> None:
    """Cancelling whoever holds the stream breaks the connection off."""
    provider = await started(fake)

    async def call() -> None:
        async with provider.open(HearingOptions()) as stream:
            stream.feed(SPEECH)
            await asyncio.Event().wait()

    calling = asyncio.create_task(call())
    await fake.until_opened(2)
    calling.cancel()
    await asyncio.wait({calling})
    await fake.sessions[-1].connection.wait_closed()
