"""Flux as a recogniser, against a fake that the vendor's SDK has proven."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, feed, heard, segment
from antiphon_providers.deepgram_flux import (
    DeepgramFlux,
    DeepgramFluxOptions,
    FluxTongue,
    query_of,
)
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions
from fakes.deepgram import KEY, FakeDeepgram, Fault

SPEECH = human_speech.clip("best").pcm
TURN = {
    "type": "TurnInfo",
    "event": "Update",
    "turn_index": 3,
    "audio_window_end": 1.25,
    "transcript": "Hello",
    "words": [],
    "end_of_turn_confidence": 0.25,
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDeepgram]:
    """The vendor."""
    async with FakeDeepgram() as vendor:
        yield vendor


def hearing(fake: FakeDeepgram, **options: Any) -> DeepgramFlux:
    """Flux at the fake."""
    return DeepgramFlux(DeepgramFluxOptions(**{"api_key": KEY, "base_url": fake.url, **options}))


async def started(fake: FakeDeepgram, **options: Any) -> DeepgramFlux:
    """Flux at the fake, running."""
    provider = hearing(fake, **options)
    await provider.start()
    return provider


class TestContract(SpeechToTextContract):
    """Flux keeps to what every recogniser must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeDeepgram) -> None:
        self.fake = fake

    def make(self) -> DeepgramFlux:
        """Flux at the fake."""
        return hearing(self.fake)


async def test_a_connection_says_what_the_call_needs(fake: FakeDeepgram) -> None:
    """Audio's form, thresholds, the longest pause and key terms are parameters."""
    provider = await started(
        fake, model="flux-general-multi", eot_threshold=0.8, eager_eot_threshold=0.4
    )
    options = HearingOptions(
        keyterms=("Antiphon", "two words"), language_codes=("de", "en"), longest_pause_ms=100
    )
    async with provider.open(options):
        pass
    session = fake.sessions[-1]
    assert session.path == "/v2/listen"
    assert session.headers["Authorization"] == f"Token {KEY}"
    assert session.query == {
        "model": ["flux-general-multi"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "eot_threshold": ["0.8"],
        "eager_eot_threshold": ["0.4"],
        "eot_timeout_ms": ["500"],
        "language_hint": ["de", "en"],
        "keyterm": ["Antiphon", "two words"],
    }


def test_the_english_model_is_given_no_languages() -> None:
    """It refuses them; what is not set is left to the vendor."""
    query = query_of(DeepgramFluxOptions(language="en"), HearingOptions())
    assert query["language_hint"] == ()
    assert query["eot_timeout_ms"] is None
    long = query_of(DeepgramFluxOptions(), HearingOptions(longest_pause_ms=90_000))
    assert long["eot_timeout_ms"] == 60_000


async def test_the_turn_is_ended_only_when_all_of_it_was_heard(fake: FakeDeepgram) -> None:
    """Words lag behind the audio; silence behind the speech brings out the last."""
    provider = await started(fake)
    results = await heard(provider, SPEECH)
    assert results[-1].text == "Hello there."
    session = fake.sessions[-1]
    assert session.types()[0] == "ForceEndTurn"
    assert bytes(session.audio[: len(SPEECH)]) == SPEECH
    assert not any(session.audio[len(SPEECH) :])


async def test_segments_that_come_at_once_are_turns_of_their_own(fake: FakeDeepgram) -> None:
    """Nothing of the next segment is sent before the one before it is answered."""
    provider = await started(fake)
    async with provider.open(HearingOptions(partials=False)) as stream:
        for _ in range(3):
            await feed(stream, SPEECH)
            stream.flush()
        results = aiter(stream)
        texts = [(await segment(results))[-1].text for _ in range(3)]
    assert texts == ["Hello there.", "How are you?", "Goodbye."]


async def test_its_own_end_of_a_turn_is_a_verdict(fake: FakeDeepgram) -> None:
    """The results say how sure Flux is; a flush behind its end asks for nothing."""
    fake.ends_turns = True
    provider = await started(fake)
    async with provider.open(HearingOptions()) as stream:
        results = aiter(stream)
        await feed(stream, SPEECH + human_speech.silence(1000))
        verdicts: list[float | None] = []
        async for result in results:
            verdicts.append(result.turn_over)
            if result.turn_over == 1:
                break
        stream.flush()
        last = (await segment(results))[-1]
    assert all(verdict is not None and 0 <= verdict <= 1 for verdict in verdicts)
    assert verdicts[0] == 0.05
    assert (last.text, last.turn_over) == ("Hello there.", 1.0)
    assert "ForceEndTurn" not in fake.sessions[-1].types()


async def test_a_turn_that_is_not_ended_gives_what_is_known(fake: FakeDeepgram) -> None:
    """A deployment without ``ForceEndTurn`` is answered after ``final_ms``, and what it tells of
    the same turn again is not the next segment's.
    """
    fake.fault = Fault(deaf={"ForceEndTurn"})
    provider = await started(fake, final_ms=200)
    async with provider.open(HearingOptions(partials=False)) as stream:
        results = aiter(stream)
        texts = []
        for _ in range(2):
            await feed(stream, SPEECH)
            stream.flush()
            texts.append((await segment(results))[-1].text)
    assert texts == ["Hello there.", ""]


async def test_silence_is_answered_without_asking(fake: FakeDeepgram) -> None:
    """A flush behind nothing but silence ends no turn, for there is none."""
    provider = await started(fake)
    assert (await heard(provider, human_speech.silence(400)))[-1].text == ""
    assert "ForceEndTurn" not in fake.sessions[-1].types()


@pytest.mark.parametrize(
    ("event", "trigger", "text", "expected"),
    [
        ("Update", None, "Hello", (False, False, 0.25)),
        ("Update", None, "", (True, False, 0.25)),
        ("StartOfTurn", None, "Hello", (False, False, 0.25)),
        ("EagerEndOfTurn", None, "Hello", (False, False, 0.25)),
        ("TurnResumed", None, "Hello", (False, False, 0.25)),
        ("Novelty", None, "Hello", (False, False, 0.25)),
        ("EndOfTurn", "model", "Hello", (True, False, 1.0)),
        ("EndOfTurn", "timeout", "Hello", (True, False, 1.0)),
        ("EndOfTurn", "novelty", "Hello", (True, False, 1.0)),
        ("EndOfTurn", None, "Hello", (True, False, 1.0)),
        ("EndOfTurn", "manual", "Hello", (True, True, 0.25)),
    ],
)
def test_events_say_whether_the_turn_is_over(
    event: str, trigger: str | None, text: str, expected: tuple[bool, bool, float]
) -> None:
    """An end that was not forced is a verdict; all else has the vendor's confidence."""
    told = FluxTongue(1000, partials=True).told(
        {**TURN, "event": event, "trigger": trigger, "transcript": text}
    )
    assert told is not None
    assert (told.key, told.text, told.end_s) == (3, text, 1.25)
    assert (told.is_final, told.is_forced, told.verdict) == expected


async def test_refusals_are_in_the_vendors_own_words(fake: FakeDeepgram) -> None:
    """A wrong key or model is found at the start."""
    with pytest.raises(Refused, match=r"Invalid credentials\."):
        await started(fake, api_key="another-key")
    with pytest.raises(Refused, match="No such model: nova-3"):
        await started(fake, model="nova-3")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(mute=True), TooSlow),
        (Fault(hang=True), TooSlow),
        (Fault(status=500), Unavailable),
        (Fault(instead={"Connected": ['{"type": "TurnInfo"}']}), Malformed),
        (Fault(instead={"Connected": [b"sound"]}), Malformed),
        (Fault(instead={"Connected": ["no JSON"]}), Malformed),
        (
            Fault(instead={"Connected": ['{"type": "Error", "code": "INTERNAL_SERVER_ERROR"}']}),
            Unavailable,
        ),
    ],
)
async def test_a_connection_that_does_not_begin_fails(
    fake: FakeDeepgram, fault: Fault, kind: type[ProviderError]
) -> None:
    """``Connected`` comes first, within ``first_ms``."""
    fake.fault = fault
    with pytest.raises(ProviderError) as failed:
        await started(fake, connect_ms=300, first_ms=100)
    assert type(failed.value) is kind
    assert failed.value.provider == "deepgram-flux"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(close={"Audio": (1011, "See NET-0001")}), Unavailable),
        (Fault(close={"Audio": (1006, "")}), Unavailable),
        (Fault(close={"Audio": (1000, "")}), Unavailable),
        (Fault(after={"Audio": ["no JSON"]}), Malformed),
        (Fault(after={"Audio": ['{"type": "TurnInfo", "event": "Update"}']}), Malformed),
        (Fault(after={"Audio": [json.dumps({**TURN, "turn_index": "x"})]}), Malformed),
        (Fault(after={"Audio": ['{"type": "Error", "code": "UNPARSABLE_MESSAGE"}']}), Refused),
    ],
)
async def test_each_failure_of_a_call_has_its_kind(
    fake: FakeDeepgram, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong later ends the iteration with one of our errors."""
    provider = await started(fake)
    fake.fault = fault
    with pytest.raises(ProviderError) as failed:
        await heard(provider, SPEECH)
    assert type(failed.value) is kind


async def test_warnings_are_left_alone(fake: FakeDeepgram) -> None:
    """A ``Warning`` or a frame of a new type ends nothing."""
    said: list[str | bytes] = ['{"type": "Warning", "code": "SLOW"}', '{"type": "Novelty"}']
    fake.fault = Fault(after={"Audio": said})
    provider = await started(fake)
    assert (await heard(provider, SPEECH))[-1].text == "Hello there."


async def test_nothing_opens_before_the_start_or_after_the_end(fake: FakeDeepgram) -> None:
    """A provider that does not run says so."""
    provider = hearing(fake)
    with pytest.raises(Unavailable):
        await heard(provider, SPEECH)
    await provider.start()
    await provider.close()
    with pytest.raises(Unavailable):
        await heard(provider, SPEECH)


def test_options_are_checked_and_hide_the_key() -> None:
    """A wrong address or JSON is found when they are made."""
    assert "a-secret" not in repr(DeepgramFluxOptions(api_key="a-secret"))
    assert "a-secret" not in str(DeepgramFluxOptions(api_key="a-secret").__rich_repr__())
    with pytest.raises(ValueError, match="base_url"):
        DeepgramFluxOptions(base_url="ftp://host")
    with pytest.raises(ValueError, match="JSON"):
        DeepgramFluxOptions(extra_query="[]")
