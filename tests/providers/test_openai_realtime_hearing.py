"""Speech goes up segment by segment, and words come down for the segment they are of."""

from __future__ import annotations

import asyncio
import base64

import numpy as np
import pytest

from antiphon_providers.interfaces import HearingOptions, Recognised
from antiphon_providers.openai_realtime_hearing import Ear, Segment, transcription_of
from antiphon_providers.openai_realtime_wire import (
    RATE,
    Append,
    Commit,
    Committed,
    Failed,
    HeardAll,
    HeardDelta,
    HeardNothing,
    Response,
    ResponseCreated,
    Sent,
    Trouble,
)
from antiphon_providers.scripted.tones import sine
from virtual_time import in_virtual_time

SPEECH = sine(300, 600, 16_000)


class Listening:
    """An ear, what it sends and what it tells."""

    def __init__(self, *, partials: bool = True, final_ms: int = 60_000) -> None:
        self.sent: list[Sent] = []
        self.told: list[Recognised] = []
        self.segments: list[Segment] = []
        committed = self.segments.append
        put, tell = self.sent.append, self.told.append
        self.ear = Ear(put, final_ms, tell, committed, partials=partials)

    def commits(self) -> list[Commit]:
        """What was asked to become an item."""
        return [event for event in self.sent if isinstance(event, Commit)]

    def pcm(self) -> bytes:
        """All audio that was sent."""
        sent = [event.audio for event in self.sent if isinstance(event, Append)]
        return b"".join(base64.b64decode(audio) for audio in sent)

    def say(self, pcm: bytes = SPEECH) -> None:
        """A whole segment."""
        self.ear.feed(pcm)
        self.ear.flush()

    def finals(self) -> list[str]:
        """What flushes were answered with."""
        return [result.text for result in self.told if result.flushed]


async def test_speech_goes_up_at_24_khz_as_it_is_spoken() -> None:
    """In pieces of 100 ms, all of it before the commit, whatever it was fed in."""
    listening = Listening()
    for at in range(0, len(SPEECH), 333):
        listening.ear.feed(SPEECH[at : at + 333])
    assert len(listening.sent) >= 5
    listening.ear.flush()
    assert isinstance(listening.sent[-1], Commit)
    samples = np.frombuffer(listening.pcm(), np.int16).astype(float)
    assert samples.size == 0.6 * RATE
    hertz = np.argmax(np.abs(np.fft.rfft(samples))) * RATE / samples.size
    assert hertz == pytest.approx(300, abs=2)
    assert not listening.ear.is_settled


async def test_silence_is_not_sent_but_just_before_speech() -> None:
    """Half a second of it; silence alone is answered at once."""
    listening = Listening()
    listening.say(bytes(32_000 * 60))
    listening.say(b"")
    listening.say(b"\1")
    assert listening.sent == []
    assert listening.finals() == ["", "", ""]
    listening.ear.feed(bytes(32_000 * 60))
    assert listening.ear.is_idle
    listening.ear.feed(SPEECH)
    assert not listening.ear.is_idle
    listening.ear.flush()
    assert 1.05 * RATE * 2 <= len(listening.pcm()) <= 1.15 * RATE * 2


async def test_the_shortest_speech_is_filled_up_to_what_is_taken() -> None:
    """With silence, to 100 ms."""
    listening = Listening()
    listening.say(SPEECH[: 32 * 20])
    assert len(listening.pcm()) == RATE * 2 // 10
    assert len(listening.commits()) == 1


async def test_words_are_of_the_segment_whose_item_they_name() -> None:
    """Items are known by their first words or their commit; all come in any order."""
    listening = Listening(partials=False)
    take = listening.ear.take
    listening.ear.feed(SPEECH)
    assert take(HeardDelta("a", "One"))
    listening.ear.flush()
    listening.say()
    assert take(HeardDelta("b", "Two"))
    listening.say()
    for item in ("a", "b", "c", "c"):
        assert take(Committed(item))
    assert take(HeardAll("c", " Three. "))
    assert take(HeardAll("b", "Two."))
    assert listening.finals() == []
    assert take(HeardAll("a", "One."))
    assert listening.finals() == ["One.", "Two.", "Three."]
    assert [segment.item_id for segment in listening.segments] == ["a", "b", "c"]


async def test_partials_are_of_the_first_segment_that_is_not_answered() -> None:
    """Each time all of it; what is only white space is nothing."""
    listening = Listening()
    take = listening.ear.take
    listening.ear.feed(SPEECH)
    take(HeardDelta("a", " "))
    take(HeardDelta("a", None))
    take(HeardDelta("a", "One"))
    listening.ear.flush()
    listening.ear.feed(SPEECH)
    take(HeardDelta("b", "Two"))
    take(HeardDelta("a", " more"))
    take(Committed("a"))
    take(HeardNothing("a"))
    take(HeardDelta("a", " late"))
    take(HeardDelta("b", " again"))
    assert listening.told == [
        Recognised("One"),
        Recognised("One more"),
        Recognised("One more", flushed=True),
        Recognised("Two again"),
    ]


@in_virtual_time
async def test_a_flush_is_answered_in_time_with_what_is_known() -> None:
    """What comes late is of no other segment, though its item was not known yet."""
    listening = Listening(final_ms=1000, partials=False)
    listening.say()
    await asyncio.sleep(1.1)
    assert listening.finals() == [""]
    listening.say()
    take = listening.ear.take
    for event in (Committed("a"), HeardDelta("a", "Late"), HeardAll("a", "Late.")):
        assert take(event)
    for second in (Committed("b"), HeardDelta("b", "Known")):
        assert take(second)
    await asyncio.sleep(1.1)
    assert listening.finals() == ["", "Known"]


@in_virtual_time
async def test_after_the_end_nothing_is_answered() -> None:
    """No timer is left."""
    listening = Listening(final_ms=1000)
    listening.say()
    listening.ear.close()
    await asyncio.sleep(2)
    assert listening.told == []


async def test_a_commit_that_is_refused_makes_no_item() -> None:
    """The next commit's item is the next segment's."""
    listening = Listening(partials=False)
    listening.say()
    listening.say()
    refused = Trouble("Too small.", event_id=listening.commits()[0].event_id)
    assert listening.ear.take(Failed(refused))
    listening.ear.take(Committed("b"))
    assert [segment.item_id for segment in listening.segments] == ["b"]
    assert listening.ear.is_settled
    listening.ear.take(HeardAll("b", "Two."))
    assert listening.finals() == ["", "Two."]
    assert not listening.ear.take(Failed(refused))
    assert not listening.ear.take(Failed(Trouble("About something else.")))
    assert not listening.ear.take(ResponseCreated(Response("r")))


async def test_what_nobody_said_changes_nothing() -> None:
    """A commit that was not asked for, words of an item that is over."""
    listening = Listening()
    listening.ear.take(Committed("a"))
    listening.say()
    listening.ear.take(Committed())
    listening.ear.take(Committed("b"))
    for _ in range(2):
        listening.ear.take(HeardAll("b", "One."))
    assert listening.finals() == ["One."]


HINTS = HearingOptions(("Antiphon", "two words"), "A call.", ("de-CH", "DE", "en"))


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (
            "gpt-live-transcribe",
            {"languages": ["de", "en"], "keywords": ["Antiphon", "two words"], "prompt": "A call."},
        ),
        ("gpt-4o-transcribe", {"prompt": "A call. Antiphon, two words"}),
        ("gpt-realtime-whisper", {}),
    ],
)
def test_a_model_is_told_what_it_takes(model: str, wanted: dict[str, object]) -> None:
    """Languages without region; one alone is the language of those that take one."""
    assert transcription_of(model, "fr", HINTS) == {"model": model, **wanted}
    few = transcription_of(model, "fr-FR", HearingOptions())
    assert few in ({"model": model, "languages": ["fr"]}, {"model": model, "language": "fr"})
    assert transcription_of(model, "", HearingOptions()) == {"model": model}
