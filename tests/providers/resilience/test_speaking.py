"""One reply is spoken to its end, by as many voices as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_providers.interfaces import Sound
from providers.resilience.voices import HUM, REPLY, VOICE, Wrong, check, resilient, spoken, voice
from providers.resilience.witness import Witness
from virtual_time import in_virtual_time, run

FAILURES = [
    ("unavailable at open", "provider_unavailable"),
    ("stall at open", "provider_timeout"),
    ("stall", "provider_timeout"),
    ("empty", "provider_malformed"),
    ("malformed after 7", "provider_malformed"),
    ("stall after 7", "provider_timeout"),
    ("unavailable after 60", "provider_unavailable"),
    ("refused after 103", "provider_refused"),
]


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize(("fault", "code"), FAILURES)
@in_virtual_time
async def test_what_was_not_spoken_is_spoken_by_the_next(
    fault: str,
    code: str,
    times: bool,
) -> None:
    """Once and in order, wherever the first voice falls silent."""
    first, second, witness = voice(fault, word_times=times), voice(), Witness()
    sounds = await spoken(resilient(first, second, witness=witness), *REPLY)
    check(sounds, REPLY)
    assert witness.failures == [("a", code)]
    assert witness.switches == [("a", "b", code)]
    assert first.desk.active == second.desk.active == 0


@pytest.mark.parametrize(("times", "others"), [(True, False), (False, True), (False, False)])
@in_virtual_time
async def test_a_sentence_that_broke_off_is_ended_by_the_next(
    times: bool,
    others: bool,
) -> None:
    """Words that were out are not said again; the one in the middle is said whole. Where times
    are missing for a part they are estimated if the other part has some, or else none is given.
    """
    first, second = voice("unavailable after 25", word_times=times), voice(word_times=others)
    sounds = await spoken(resilient(first, second), *REPLY)
    # A second was out: "Good morning, thi".
    assert list(second.spoken) == ["this is the office.", *REPLY[1:]]
    check(sounds, REPLY)
    words = [word.text for sound in sounds for word in sound.words if sound.sentence == 0]
    assert words == (REPLY[0].split() if times else [])


@in_virtual_time
async def test_a_sentence_that_was_out_is_not_said_again() -> None:
    """Though its end was never told."""
    first, second = voice("unavailable after 49"), voice()
    sounds = await spoken(resilient(first, second), *REPLY)
    assert list(second.spoken) == ["office.", *REPLY[1:]]
    check(sounds, REPLY)
    whole, other = Wrong(Sound(HUM * 15, 0)), voice()
    sounds = await spoken(resilient(whole, other), "One.", "Two.")
    assert list(other.spoken) == ["Two."]
    assert [sound.sentence for sound in sounds if sound.ends] == [0, 1]


TEXTS = st.lists(
    st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=12).map(" ".join),
    min_size=1,
    max_size=4,
)
FAULTS = st.builds(
    "{} after {}".format,
    st.sampled_from(["unavailable", "stall", "malformed", "too_slow", "refused"]),
    st.integers(0, 120),
) | st.sampled_from(["unavailable at open", "stall at open", "empty"])


@given(
    texts=TEXTS,
    faults=st.tuples(FAULTS, FAULTS),
    times=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    pause_s=st.sampled_from([0.0, 0.3, 3.0]),
)
@settings(max_examples=150, deadline=None)
def test_every_word_is_spoken_once_whatever_happens(
    texts: list[str], faults: tuple[str, str], times: tuple[bool, bool, bool], pause_s: float
) -> None:
    """In order, but for the word at each cut, while one of three voices works."""

    async def reply() -> None:
        makes = zip((*faults, ""), times, strict=True)
        voices = [voice(fault, word_times=timed) for fault, timed in makes]

        async def written() -> AsyncIterator[str]:
            for text in texts:
                await asyncio.sleep(pause_s)
                yield text

        sounds = [sound async for sound in resilient(*voices).speak(written(), VOICE)]
        numbers = [sound.sentence for sound in sounds]
        assert numbers == sorted(numbers)
        assert [sound.sentence for sound in sounds if sound.ends] == list(range(len(texts)))
        for number, text in enumerate(texts):
            own = [sound for sound in sounds if sound.sentence == number]
            ms = sum(len(sound.pcm) for sound in own) / 48
            # Two cuts at most, at each of which a word may be begun twice or a space be lost.
            assert -181 <= ms - 60 * len(text) <= 2 * 60 * 10 + 100
            words = [word.text for sound in own for word in sound.words]
            assert words in ([], text.split())
        assert all(one.desk.active == 0 for one in voices)

    run(reply())
