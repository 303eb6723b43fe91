"""The recogniser of a caller's ears: its words are told of the right utterance, and it is opened
again when it breaks off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from antiphon_protocol.audio import PCM
from antiphon_providers.interfaces import HearingOptions, SpeechStream, SpeechToText
from antiphon_providers.scripted import Fault
from antiphon_server.call.ears import HearingManners
from antiphon_server.conversation.vocabulary import (
    HearingFailed,
    WordsHeard,
)
from server.call.microphone import listening
from server.call.scripted_call import (
    Stages,
    silent,
    stt,
    voiced,
)
from virtual_time import in_virtual_time


class SlowToOpen:
    """A recogniser that takes its time before it listens, or fails to."""

    def __init__(self, recogniser: SpeechToText, seconds: float) -> None:
        self.name = recogniser.name
        self._recogniser = recogniser
        self._seconds = seconds

    async def start(self) -> None:
        """As the other."""
        await self._recogniser.start()

    async def close(self) -> None:
        """As the other."""
        await self._recogniser.close()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[SpeechStream]:
        """As the other, later."""
        await asyncio.sleep(self._seconds)
        async with self._recogniser.open(options) as stream:
            yield stream


@in_virtual_time
async def test_words_come_while_they_are_spoken_and_settle_when_asked() -> None:
    """Partial words are not settled; the answer to the question is."""
    stages = Stages(stt=stt(utterances="one two three", ms_per_word=250, final_ms=80))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(900), silent(250))
        partial = [event.text for event in microphone.events if isinstance(event, WordsHeard)]
        assert partial[:2] == ["one", "one two"]
        assert not any(e.settled for e in microphone.events if isinstance(e, WordsHeard))
        microphone.ears.ask_if_done()
        await asyncio.sleep(0.1)
        assert microphone.events[-1] == WordsHeard("one two three", settled=True)
        assert microphone.timeline.hearing.settled is not None


@in_virtual_time
async def test_the_segments_of_one_utterance_are_joined() -> None:
    """A pause in mid-turn is asked about, and the words go on after those before it."""
    stages = Stages(stt=stt(utterances="one two | three four"))
    async with listening(stages) as microphone:
        for _ in range(2):
            await microphone.hears(voiced(600), silent(250))
            microphone.ears.ask_if_done()
            await microphone.settle()
        assert microphone.events[-2] == WordsHeard("one two three four", settled=True)


@in_virtual_time
async def test_late_words_of_a_forgotten_utterance_never_leak_into_the_next() -> None:
    """The recogniser answers a second late; the next utterance has its own words only, and is
    settled by its own answer only.
    """
    stages = Stages(stt=stt(utterances="old words | new words", final_ms=1000))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        microphone.ears.forget()
        before = len(microphone.events)
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(5)
        words = [event for event in microphone.events[before:] if isinstance(event, WordsHeard)]
        assert all("old" not in event.text for event in words)
        assert words[-1] == WordsHeard("new words", settled=True)
        assert [event.settled for event in words].count(True) == 1


@in_virtual_time
async def test_unasked_audio_of_a_forgotten_utterance_does_not_leak_either() -> None:
    """Forgotten without a question, as after a back-channel: its audio is no part of the next
    utterance.
    """
    stages = Stages(stt=stt(utterances="uh huh | a question", final_ms=300))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.forget()
        await microphone.hears(voiced(900), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(5)
        settled = [e for e in microphone.events if isinstance(e, WordsHeard) and e.settled]
        assert settled == [WordsHeard("a question", settled=True)]


@in_virtual_time
async def test_the_recogniser_is_told_what_it_may_know() -> None:
    """Key terms, prompt and languages; changed ones count from its next opening."""
    recogniser = stt()
    known = HearingOptions(("Antiphon",), "a call", ("en",))
    manners = HearingManners(PCM, options=known)
    async with listening(Stages(stt=recogniser), manners) as microphone:
        later = HearingOptions(("Vespers",))
        microphone.ears.change(replace(manners, options=later))
        recogniser.desk.fault = Fault("unavailable", times=1)
        await microphone.hears(voiced(300), silent(250))
        assert list(recogniser.asked) == [known]


@in_virtual_time
async def test_a_recogniser_that_breaks_off_is_opened_again() -> None:
    """The turn in which it broke off is lost, and told; the next one is heard."""
    recogniser = stt(utterances="heard", final_ms=50)
    recogniser.desk.fault = Fault("unavailable", after=0, times=1)
    async with listening(Stages(stt=recogniser)) as microphone:
        await microphone.hears(voiced(600), silent(250))
        assert HearingFailed() in microphone.events
        microphone.ears.ask_if_done()
        await asyncio.sleep(1)
        microphone.ears.forget()
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(1)
        assert microphone.events[-1] == WordsHeard("heard", settled=True)
        assert recogniser.desk.opened == 2


@in_virtual_time
async def test_a_recogniser_that_merely_ends_is_opened_again() -> None:
    """An iteration that is over without an error would otherwise leave the caller unheard."""
    recogniser = stt(utterances="heard")
    async with listening(Stages(stt=recogniser)) as microphone:
        await microphone.hears(voiced(300))
        (stream,) = recogniser._streams
        stream.close()
        await microphone.hears(silent(1000))
        assert HearingFailed() in microphone.events
        microphone.ears.forget()
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        assert WordsHeard("heard", settled=True) in microphone.events


@in_virtual_time
async def test_without_a_recogniser_a_question_is_answered_at_once() -> None:
    """There will be no words: the turn need not wait for them."""
    recogniser = stt(fault="unavailable at open")
    async with listening(Stages(stt=recogniser)) as microphone:
        await microphone.settle()
        told = microphone.kinds().count("HearingFailed")
        assert told == 1
        microphone.ears.ask_if_done()
        assert microphone.kinds().count("HearingFailed") == told + 1


@in_virtual_time
async def test_what_is_said_while_the_recogniser_opens_is_heard() -> None:
    """A whole turn, and the question after it: the answer comes once it listens."""
    recogniser = stt(utterances="one two three", final_ms=80)
    async with listening(Stages(stt=SlowToOpen(recogniser, 1.5))) as microphone:
        await microphone.hears(voiced(900), silent(250))
        microphone.ears.ask_if_done()
        assert "HearingFailed" not in microphone.kinds()
        await asyncio.sleep(1.5)
        assert microphone.events[-1] == WordsHeard("one two three", settled=True)


@in_virtual_time
async def test_what_was_said_to_one_that_cannot_be_opened_is_not_told_the_next() -> None:
    """The turn is told as lost with the failure, and forgotten."""
    recogniser = stt(utterances="heard", final_ms=50, fault="unavailable at open")
    async with listening(Stages(stt=SlowToOpen(recogniser, 0.5))) as microphone:
        await microphone.hears(voiced(400), silent(50))
        await asyncio.sleep(0.1)
        assert microphone.kinds().count("HearingFailed") == 1
        recogniser.desk.fault = None
        microphone.ears.forget()
        await asyncio.sleep(1)
        microphone.ears.ask_if_done()
        await asyncio.sleep(0.1)
        assert WordsHeard("heard", settled=True) not in microphone.events
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(0.1)
        assert microphone.events[-1] == WordsHeard("heard", settled=True)


@pytest.mark.parametrize(
    ("fault", "failures"), [("unavailable at open", 4), ("refused at open", 1)]
)
@in_virtual_time
async def test_a_recogniser_that_fails_for_good_ends_the_session(fault: str, failures: int) -> None:
    """After three more attempts; at once where it says that asking again is no use."""
    async with listening(Stages(stt=stt(fault=fault))) as microphone:
        await asyncio.sleep(10)
        assert microphone.kinds() == ["HearingFailed"] * failures + ["SessionFailed"]


@in_virtual_time
async def test_what_the_recogniser_was_given_is_counted() -> None:
    """Seconds up to the last pause, whatever the frames were."""
    async with listening() as microphone:
        await microphone.hears(voiced(600), silent(250))
        assert microphone.ears.recognised_seconds == 0.0
        microphone.ears.ask_if_done()
        assert microphone.ears.recognised_seconds == pytest.approx(0.8, abs=0.07)
