"""Written pieces spoken by the text-to-speech: streaming, watched, and one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon_providers.errors import Malformed, TooSlow
from antiphon_server.call.patience import PROGRESS_SECONDS
from antiphon_server.call.reading import Pieces, Reading, Written
from server.call.scripted_call import tts
from server.call.sounding_stage import SoundingStage
from virtual_time import in_virtual_time


class Lectern:
    """A reading of one reply."""

    def __init__(self, voice: Any) -> None:
        self.stage = SoundingStage()
        sounding, clock = self.stage.sounding, self.stage.clock
        options = self.stage.settings.voice
        self.reading = Reading(voice, options, sounding, clock, self.stage.now)
        self.pieces: Pieces = asyncio.Queue()

    def give(self, *pieces: str, last: bool = True) -> Pieces:
        """Pieces to be spoken."""
        for piece in pieces:
            self.pieces.put_nowait(Written(self.stage.sounding.heard.wrote(piece), piece))
        if last:
            self.pieces.put_nowait(None)
        return self.pieces


@in_virtual_time
async def test_pieces_are_spoken_as_they_are_written() -> None:
    """The first sounds before the last is known; each in its place in the ledger."""
    lectern = Lectern(tts())
    speaking = asyncio.create_task(lectern.reading.speak(lectern.give("One.", last=False)))
    await asyncio.sleep(1)
    assert lectern.stage.sounding.heard.ms == 240
    lectern.give("Two three.")
    await speaking
    lectern.stage.sounding.tell_words(last=True)
    assert lectern.stage.words == ["One.", "Two", "three."]
    assert lectern.reading.characters == len("One.Two three.")
    assert lectern.stage.clock.speech_asked == 0.0


@in_virtual_time
async def test_it_goes_on_where_another_ended() -> None:
    """What is read later, after somebody else spoke, has its own sentences in the ledger."""
    lectern = Lectern(tts())
    heard = lectern.stage.sounding.heard
    await lectern.reading.speak(lectern.give("One."))
    number = heard.began()
    heard.grew(number, "By another.")
    heard.sounded(number, 900)
    heard.ended(number)
    await lectern.reading.speak(lectern.give("Two."))
    assert heard.text == "One. By another. Two."
    assert heard.until(240 + 900) == "One. By another."
    assert heard.ms == 240 + 900 + 240
    assert lectern.reading.characters == 8


@in_virtual_time
async def test_nothing_to_speak_asks_nobody() -> None:
    """A reply without a word has no voice."""
    voice = tts()
    lectern = Lectern(voice)
    await lectern.reading.speak(lectern.give())
    assert voice.desk.opened == 0
    assert lectern.stage.clock.speech_asked is None


@in_virtual_time
async def test_a_voice_that_makes_no_sound_has_failed() -> None:
    """Silence is no speech."""
    lectern = Lectern(tts(fault="empty"))
    with pytest.raises(Malformed, match="made no sound"):
        await lectern.reading.speak(lectern.give("One."))


@in_virtual_time
async def test_a_voice_that_stalls_has_failed_after_its_time() -> None:
    """Counted only while the next sound is the voice's to make: not while it has no words."""
    lectern = Lectern(tts(fault="stall after 2", chunk_ms=5_000))
    speaking = asyncio.create_task(lectern.reading.speak(lectern.give("One.", last=False)))
    await asyncio.sleep(3 * PROGRESS_SECONDS)
    assert not speaking.done()
    lectern.give("Two.", "Three.", last=False)
    asked = lectern.stage.now()
    with pytest.raises(TooSlow):
        await speaking
    assert lectern.stage.now() - asked == pytest.approx(PROGRESS_SECONDS)
