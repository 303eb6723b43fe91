"""A recogniser that hears what it is told to, by the audio it is fed."""

import asyncio

import pytest

from antiphon_providers import registry
from antiphon_providers.errors import Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions, Recognised, SpeechStream, SpeechToText
from antiphon_providers.scripted import Fault, ScriptedSpeechToText
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from antiphon_providers.scripted.tones import sine, tone_of
from virtual_time import in_virtual_time

SPEECH = sine(300, 600, 16000)
SILENCE = bytes(600 * 32)
FINALS_ONLY = HearingOptions(partials=False)


async def finals(stream: SpeechStream, count: int) -> list[str]:
    """The texts of the next segments."""
    texts: list[str] = []
    async for result in stream:
        if result.flushed:
            texts.append(result.text)
        if len(texts) == count:
            break
    return texts


async def heard(recogniser: SpeechToText, *segments: bytes) -> list[str]:
    """What one call's segments say."""
    async with recogniser.open(FINALS_ONLY) as stream:
        for segment in segments:
            stream.feed(segment)
            stream.flush()
        return await finals(stream, len(segments))


@pytest.mark.parametrize(
    ("after_last", "expected"),
    [
        ("cycle", ["one", "two", "one", "two"]),
        ("last", ["one", "two", "two", "two"]),
        ("nothing", ["one", "two", "", ""]),
    ],
)
async def test_each_segment_is_the_next_utterance(after_last: str, expected: list[str]) -> None:
    """And what comes after the last can be chosen."""
    recogniser = registry.create(
        "speech_to_text", "scripted", {"utterances": "one | two", "after_last": after_last}
    )
    assert await heard(recogniser, *[SPEECH] * 4) == expected


async def test_silence_says_nothing_and_uses_no_utterance_up() -> None:
    """Nor does a flush of nothing at all."""
    recogniser = ScriptedSpeechToText(SpeechToTextScript(utterances="one|two"))
    segments = (SILENCE, b"", SPEECH, SILENCE + SPEECH)
    assert await heard(recogniser, *segments) == ["", "", "one", "two"]


async def test_each_call_begins_with_the_first_utterance() -> None:
    """Calls do not share what belongs to one."""
    recogniser = ScriptedSpeechToText(SpeechToTextScript(utterances="one|two"))
    assert await heard(recogniser, SPEECH) == await heard(recogniser, SPEECH) == ["one"]


async def test_words_come_while_they_are_spoken() -> None:
    """One for each 300 ms that were audible, never the same twice, however the audio is cut."""
    recogniser = ScriptedSpeechToText(SpeechToTextScript(utterances="one two three"))
    async with recogniser.open(HearingOptions()) as stream:
        audio = SPEECH + SILENCE + SPEECH
        for at in range(0, len(audio), 700):
            stream.feed(audio[at : at + 700])
        stream.flush()
        results: list[Recognised] = []
        async for result in stream:
            results.append(result)
            if result.flushed:
                break
    assert results == [
        Recognised("one"),
        Recognised("one two"),
        Recognised("one two three"),
        Recognised("one two three", flushed=True),
    ]


async def test_no_words_are_shown_where_none_are_wanted() -> None:
    """By the call's options or by the script's."""
    for script, options in (
        (SpeechToTextScript(), FINALS_ONLY),
        (SpeechToTextScript(partial_every_ms=0), HearingOptions()),
    ):
        async with ScriptedSpeechToText(script).open(options) as stream:
            stream.feed(SPEECH)
            stream.flush()
            assert await anext(aiter(stream)) == Recognised("hello there", flushed=True)


@in_virtual_time
async def test_final_words_come_after_their_delay() -> None:
    """Counted from the flush; words of the next segment do not overtake them."""
    recogniser = ScriptedSpeechToText(SpeechToTextScript(final_ms=150))
    async with recogniser.open(HearingOptions()) as stream:
        stream.feed(SPEECH[:3200])
        stream.flush()
        stream.feed(SPEECH)
        results = aiter(stream)
        assert (await anext(results)).flushed
        assert asyncio.get_running_loop().time() == pytest.approx(0.15)
        assert await anext(results) == Recognised("hello")


async def test_an_echo_says_whose_sound_it_is() -> None:
    """Callers that speak at the same time each get their own number."""
    recogniser = ScriptedSpeechToText(SpeechToTextScript(mode="echo"))
    async with asyncio.TaskGroup() as group:
        calls = [
            group.create_task(heard(recogniser, tone_of(number, 400, 16000), SILENCE))
            for number in (0, 7, 4095)
        ]
    assert [call.result() for call in calls] == [
        ["caller 0", ""],
        ["caller 7", ""],
        ["caller 4095", ""],
    ]


async def test_a_callable_may_hear() -> None:
    """It is given the segment's audio, all of it and no other."""
    recogniser = ScriptedSpeechToText(hear=lambda pcm: f"{len(pcm)} bytes")
    assert await heard(recogniser, SPEECH, SPEECH[:1000]) == ["19200 bytes", "1000 bytes"]


@in_virtual_time
async def test_it_fails_as_told() -> None:
    """At open, at the first result, by stalling, and by understanding nothing."""
    recogniser = ScriptedSpeechToText()
    recogniser.desk.fault = Fault.parse("unavailable at open")
    with pytest.raises(Unavailable):
        await heard(recogniser, SPEECH)
    recogniser.desk.fault = Fault.parse("too_slow after 1")
    assert await heard(recogniser, SPEECH) == ["hello there"]
    with pytest.raises(TooSlow):
        await heard(recogniser, SPEECH, SPEECH)
    recogniser.desk.fault = Fault.parse("empty")
    assert await heard(recogniser, SPEECH) == [""]
    for stall in ("stall at open", "stall"):
        recogniser.desk.fault = Fault.parse(stall)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await heard(recogniser, SPEECH)
    assert (recogniser.desk.opened, recogniser.desk.active) == (6, 0)


@pytest.mark.parametrize("fault", ["", "stall"])
@in_virtual_time
async def test_an_iteration_ends_with_its_stream_or_its_provider(fault: str) -> None:
    """Whether it waits for audio or for a result that never comes."""
    recogniser = ScriptedSpeechToText(SpeechToTextScript(fault=fault))

    async def listen(stream: SpeechStream) -> int:
        stream.feed(SPEECH)
        return len([result async for result in stream])

    async with asyncio.TaskGroup() as group:
        async with recogniser.open(FINALS_ONLY) as stream:
            group.create_task(listen(stream))
            await asyncio.sleep(1)
        async with recogniser.open(FINALS_ONLY) as stream:
            running = group.create_task(listen(stream))
            await asyncio.sleep(1)
            await recogniser.close()
            assert await running == 0
    with pytest.raises(Unavailable, match="closed"):
        await _open_stalled(recogniser)


async def _open_stalled(recogniser: ScriptedSpeechToText) -> None:
    recogniser.desk.fault = Fault.parse("stall at open")
    async with recogniser.open(FINALS_ONLY):
        pass


async def test_what_a_call_asked_for_is_remembered() -> None:
    """So that a test can see what the server told the recogniser."""
    recogniser = ScriptedSpeechToText()
    async with recogniser.open(HearingOptions(keyterms=("Antiphon",))):
        assert recogniser.asked[-1].keyterms == ("Antiphon",)


def test_options_that_cannot_be_are_refused() -> None:
    """When the provider is made."""
    for wrong in ({"after_last": "stop"}, {"mode": "guess"}, {"ms_per_word": "0"}):
        with pytest.raises(Refused):
            registry.create("speech_to_text", "scripted", wrong)
