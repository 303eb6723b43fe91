"""A voice that hums for as long as its text would take to say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers import registry
from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions, Word
from antiphon_providers.scripted import Fault, ScriptedTextToSpeech
from antiphon_providers.scripted.text_to_speech import TextToSpeechScript
from antiphon_providers.scripted.tones import number_of
from virtual_time import in_virtual_time, run

VOICE = VoiceOptions("james")


async def saying(*sentences: str) -> AsyncIterator[str]:
    """Sentences, known at once."""
    for sentence in sentences:
        yield sentence


async def sounds_of(speaker: TextToSpeech, *sentences: str) -> list[Sound]:
    """All that is heard of them."""
    return [sound async for sound in speaker.speak(saying(*sentences), VOICE)]


@given(st.lists(st.text(max_size=30), max_size=4), st.sampled_from([8000, 22050, 24000]))
def test_each_sentence_is_as_long_as_its_text(sentences: list[str], rate: int) -> None:
    """60 ms a character without the white space at its end; each has exactly one end."""
    speaker = ScriptedTextToSpeech(TextToSpeechScript(rate=rate))
    sounds = run(sounds_of(speaker, *sentences))
    assert [sound.sentence for sound in sounds if sound.ends] == list(range(len(sentences)))
    for number, sentence in enumerate(sentences):
        pcm = b"".join(sound.pcm for sound in sounds if sound.sentence == number)
        assert len(pcm) == round(len(sentence.rstrip()) * 0.06 * rate) * 2
    assert [sound.sentence for sound in sounds] == sorted(sound.sentence for sound in sounds)


async def test_words_have_exact_times_and_come_with_their_sound() -> None:
    """Each once, in the sound in which it begins."""
    speaker = ScriptedTextToSpeech(TextToSpeechScript(ms_per_character=100, chunk_ms=500))
    sounds = await sounds_of(speaker, "Hi my friend. ")
    assert [(len(sound.pcm), sound.words) for sound in sounds] == [
        (24000, (Word("Hi", 0, 200), Word("my", 300, 500))),
        (24000, (Word("friend.", 600, 1300),)),
        (14400, ()),
    ]


async def test_word_times_can_be_left_out() -> None:
    """As with voices that know none."""
    speaker = ScriptedTextToSpeech(TextToSpeechScript(word_times=False))
    assert not any(sound.words for sound in await sounds_of(speaker, "Hi there."))


async def test_it_is_never_silent_and_has_no_seam() -> None:
    """A hum without a jump, through chunks and seconds."""
    sounds = await sounds_of(ScriptedTextToSpeech(), "This takes more than a second to say.")
    samples = np.frombuffer(b"".join(sound.pcm for sound in sounds), np.int16).astype(int)
    assert samples.size > 24000
    assert np.abs(np.diff(samples)).max() < 700
    assert np.abs(samples.reshape(-1, 240)).max(axis=1).min() > 5000


@in_virtual_time
async def test_each_sound_comes_at_its_time() -> None:
    """The first after its delay, the others at their share of real time."""
    loop = asyncio.get_running_loop()
    script = TextToSpeechScript(
        ms_per_character=100, chunk_ms=500, first_sound_ms=200, real_time_factor=0.5
    )
    speaker = ScriptedTextToSpeech(script)
    spoken = speaker.speak(saying("0123456789abc", "x"), VOICE)
    assert [round(loop.time(), 3) async for _ in spoken] == [0.2, 0.45, 0.7, 0.9]


@in_virtual_time
async def test_a_sentence_is_spoken_before_the_next_is_known() -> None:
    """Speech does not wait for the text to be complete."""
    more: asyncio.Queue[str] = asyncio.Queue()

    async def written() -> AsyncIterator[str]:
        while True:
            yield await more.get()

    async with aclosing(ScriptedTextToSpeech().speak(written(), VOICE)) as spoken:
        for number, sentence in enumerate(("a", "b")):
            more.put_nowait(sentence)
            assert (await anext(spoken)).sentence == number
            assert (await anext(spoken)).ends


async def test_an_echo_sounds_the_number_in_the_sentence() -> None:
    """So that a listener can tell for whom it was said; other sentences are hummed."""
    speaker = ScriptedTextToSpeech(TextToSpeechScript(mode="echo"))
    sounds = await sounds_of(speaker, "You said: caller 1234.", "Hello.")
    first, second = (
        b"".join(sound.pcm for sound in sounds if sound.sentence == number) for number in (0, 1)
    )
    assert number_of(first, speaker.rate) == 1234
    assert len(second) == 6 * 60 * 48


async def test_a_callable_may_sing() -> None:
    """Its PCM is cut into sounds and nothing else."""
    speaker = ScriptedTextToSpeech(sing=lambda sentence: sentence.encode() * 1000)
    sounds = await sounds_of(speaker, "abcd")
    assert b"".join(sound.pcm for sound in sounds) == b"abcd" * 1000


@in_virtual_time
async def test_it_fails_as_told() -> None:
    """At open before it takes a sentence, in the middle, by stalling, and without a sound."""
    speaker = ScriptedTextToSpeech()
    speaker.desk.fault = Fault.parse("unavailable at open")
    with pytest.raises(Unavailable):
        await sounds_of(speaker, "a")
    assert not speaker.spoken
    speaker.desk.fault = Fault.parse("malformed after 1")
    with pytest.raises(Malformed):
        await sounds_of(speaker, "a")
    speaker.desk.fault = Fault.parse("empty")
    assert await sounds_of(speaker, "a", "b") == [Sound(b"", 0, True), Sound(b"", 1, True)]
    speaker.desk.fault = Fault.parse("stall")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await sounds_of(speaker, "a")
    assert (speaker.desk.opened, speaker.desk.active) == (4, 0)


@in_virtual_time
async def test_speech_can_be_put_down_and_closed_upon() -> None:
    """Both end it at once."""
    speaker = ScriptedTextToSpeech(TextToSpeechScript(real_time_factor=1))
    async with aclosing(speaker.speak(saying("hello"), VOICE)) as spoken:
        await anext(spoken)
    assert speaker.desk.active == 0
    running = asyncio.create_task(sounds_of(speaker, "hello"))
    await asyncio.sleep(0.1)
    await speaker.close()
    assert len(await running) == 3


async def test_what_was_said_is_remembered() -> None:
    """And with which voice."""
    speaker = ScriptedTextToSpeech()
    await sounds_of(speaker, "One.", "Two.")
    assert (list(speaker.spoken), list(speaker.voices)) == (["One.", "Two."], ["james"])


def test_options_come_from_text() -> None:
    """And those that cannot be are refused."""
    speaker = registry.create("text_to_speech", "scripted", {"rate": "16000", "word_times": "0"})
    assert (speaker.rate, speaker.options.word_times) == (16000, False)
    for wrong in ({"rate": "1"}, {"chunk_ms": "0"}, {"mode": "sing"}, {"ms_per_character": "0"}):
        with pytest.raises(Refused):
            registry.create("text_to_speech", "scripted", wrong)
