"""One reply of a model that hears and speaks: words, sound, tools, and when it has failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from antiphon_providers.errors import Malformed, ProviderError, TooSlow, Unavailable
from antiphon_providers.interfaces import (
    HearingOptions,
    Said,
    Sound,
    Spent,
    ToolUse,
    Used,
    VoiceOptions,
    Word,
)
from antiphon_server.call import answering as limits
from antiphon_server.call.answering import FIRST_SOUND_SECONDS, Answering, AnsweringDoors
from antiphon_server.call.interlocutor import Interlocutor
from antiphon_server.call.patience import PROGRESS_SECONDS
from antiphon_server.call.writing import MOST_CHARACTERS
from server.call.scripted_call import stt
from server.call.sounding_stage import PROMPT, SoundingStage
from server.call.spoken_twin import SpokenTwin, Step, pcm, spoken
from virtual_time import in_virtual_time

STORY = "Once upon a time there was a bell, and it rang."


class Answer:
    """An answer that is about to be given, and what came of it."""

    def __init__(self, interlocutor: Interlocutor) -> None:
        self.stage = SoundingStage()
        self.uses: list[ToolUse] = []
        self.may_begin = asyncio.Event()
        self.may_begin.set()
        doors = AnsweringDoors(self.stage.now, self.uses.append, self._begins)
        self.answering = Answering(interlocutor, self.stage.sounding, self.stage.clock, doors)
        self.heard = self.stage.sounding.heard

    async def _begins(self) -> None:
        await self.may_begin.wait()

    async def give(self) -> None:
        """All of it."""
        await self.answering.answer(PROMPT)


@asynccontextmanager
async def answer(*steps: Step) -> AsyncIterator[Answer]:
    """Of a model that does this."""
    model = SpokenTwin(steps)
    interlocutor = Interlocutor(model, stt(), lambda: VoiceOptions("anna"))
    async with interlocutor.open(HearingOptions()):
        yield Answer(interlocutor)
    assert model.running == 0


@pytest.mark.parametrize("ahead", [True, False])
@in_virtual_time
async def test_what_it_says_is_played_and_told(ahead: bool) -> None:
    """Whether its text comes before its sound or with it."""
    async with answer(*spoken(STORY, ahead=ahead), Spent(10, 5), Spent(1, 1, 1)) as given:
        await given.give()
        given.stage.sounding.tell_words(last=True)
    assert given.heard.text == STORY
    assert given.stage.words == STORY.split()
    assert given.heard.ms == given.stage.settings.output.ms(len(given.stage.played()))
    assert given.answering.spent == Spent(11, 6, 1)
    assert given.answering.is_useful


@in_virtual_time
async def test_its_words_are_told_while_it_speaks() -> None:
    """Those whose sound exists, with the last one held back."""
    steps: list[Step] = [Said(f"{STORY} "), Sound(pcm(1500), 0), 5.0, *spoken("The end.")]
    async with answer(*steps) as given:
        running = asyncio.create_task(given.give())
        await asyncio.sleep(1)
        told = len(given.stage.words)
        assert 2 <= told < len(STORY.split())
        await running
    given.stage.sounding.tell_words(last=True)
    assert given.stage.words == [*STORY.split(), "The", "end."]


@in_virtual_time
async def test_word_times_of_the_model_are_exact() -> None:
    """Where it gives them."""
    sound = Sound(pcm(1000), 0, True, (Word("Some", 0, 200), Word("tea.", 700, 1000)))
    async with answer(Said("Some tea."), sound) as given:
        await given.give()
    assert given.heard.method == "timed"
    assert given.heard.until(500) == "Some"


@in_virtual_time
async def test_the_clock_has_the_prompt_and_the_first_sound() -> None:
    """Text alone is nothing that the caller hears."""
    async with answer(0.3, Said("One"), 0.5, Sound(b"", 0), *spoken("two.")) as given:
        await given.give()
    clock = given.stage.clock
    assert (clock.conversed, clock.conversed_until, clock.first_sound) == (0.0, 0.8, 0.8)


@in_virtual_time
async def test_its_first_sound_waits_until_it_may_be_heard() -> None:
    """Something else is being said; no deadline runs meanwhile."""
    async with answer(*spoken("One two three.")) as given:
        given.may_begin.clear()
        running = asyncio.create_task(given.give())
        await asyncio.sleep(2 * FIRST_SOUND_SECONDS)
        assert given.heard.ms == 0
        given.may_begin.set()
        await running
    assert given.heard.text == "One two three."


@in_virtual_time
async def test_a_tool_that_it_calls_is_passed_on() -> None:
    """A reply of a call alone is a whole reply."""
    use = ToolUse("call_1", "look_up", {"n": 1})
    async with answer(Used(use)) as given:
        await given.give()
    assert given.uses == [use]
    assert given.answering.is_useful
    assert given.heard.text == ""


@in_virtual_time
async def test_a_tool_call_that_cannot_be_told_is_a_failure() -> None:
    """Arguments that are no JSON."""
    async with answer(Used(ToolUse("call_1", "look_up", {"n": object()}))) as given:
        with pytest.raises(Malformed, match="no JSON"):
            await given.give()
    assert given.uses == []
    assert not given.answering.is_useful


@pytest.mark.parametrize(
    "steps",
    [[], [Said("Only text.")], [Said("And"), Sound(b"", 0, ends=True)], [Spent(3, 1)]],
    ids=["nothing", "text", "no-samples", "tokens"],
)
@in_virtual_time
async def test_an_answer_without_sound_is_a_failure(steps: Sequence[Step]) -> None:
    """And nothing of it stands in the ledger: nobody heard it."""
    async with answer(*steps) as given:
        with pytest.raises(Malformed, match="made no sound"):
            await given.give()
    assert given.heard.text == ""
    assert not given.answering.is_useful


@pytest.mark.parametrize(
    "steps", [[60.0], [Said("One "), 3.0, Said("two "), 60.0]], ids=["silent", "writing"]
)
@in_virtual_time
async def test_a_model_that_makes_no_sound_in_time_has_failed(steps: Sequence[Step]) -> None:
    """Text is no progress as long as nothing is heard."""
    async with answer(*steps) as given:
        with pytest.raises(TooSlow):
            await given.give()
        assert given.stage.now() == pytest.approx(FIRST_SOUND_SECONDS)
        assert given.stage.clock.conversed_until == given.stage.now()


@in_virtual_time
async def test_a_model_that_stops_in_the_middle_has_failed() -> None:
    """What it said without sound was not said."""
    async with answer(Said(f"{STORY} "), Sound(pcm(900), 0), 60.0) as given:
        with pytest.raises(TooSlow):
            await given.give()
        assert given.stage.now() == pytest.approx(PROGRESS_SECONDS)
    assert given.answering.is_useful
    assert given.heard.text not in ("", STORY)
    assert STORY.startswith(given.heard.text)


@in_virtual_time
async def test_a_failure_in_the_middle_cuts_the_text_to_its_sound() -> None:
    """The vendor's own error is the one that is raised."""
    async with answer(Said(STORY), Sound(pcm(900), 0), Unavailable("reset")) as given:
        with pytest.raises(ProviderError, match="reset"):
            await given.give()
    assert STORY.startswith(given.heard.text)
    assert given.heard.until(900) == given.heard.text


@in_virtual_time
async def test_a_model_waits_for_room_without_a_deadline() -> None:
    """Minutes of sound at once are taken as they are played."""
    sounds = [Sound(pcm(5_000), 0) for _ in range(4)]
    async with answer(Said("A long one."), *sounds) as given:
        running = asyncio.create_task(given.give())
        await asyncio.sleep(2 * PROGRESS_SECONDS)
        assert not running.done()
        assert given.heard.ms < 20_000
        while not running.done():
            while given.stage.playback.take(given.stage.now())[0]:
                pass
            await asyncio.sleep(1)
        await running
    assert given.heard.ms == 20_000


@in_virtual_time
async def test_a_model_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sound after five minutes, its text after as much as takes five minutes to say."""
    monkeypatch.setattr(limits, "MOST_SOUND_MS", 2_000)
    steps: list[Step] = [Said("word " * MOST_CHARACTERS)]
    async with answer(*steps, *(Sound(pcm(500), 0) for _ in range(100))) as given:
        await given.give()
    assert given.heard.ms == 2_500
    assert len(given.heard.text) <= MOST_CHARACTERS


@in_virtual_time
async def test_text_that_utf_8_cannot_carry_is_told_all_the_same() -> None:
    """Half of a surrogate pair becomes a question mark."""
    async with answer(Said("odd \ud83d"), Sound(pcm(500), 0)) as given:
        await given.give()
    assert given.heard.text == "odd ?"


@in_virtual_time
async def test_one_that_is_cut_off_stops_the_model() -> None:
    """What was said stays as it was; how much of it was heard is the mouth's to know."""
    async with answer(Said(STORY), Sound(pcm(900), 0), 60.0) as given:
        running = asyncio.create_task(given.give())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.wait([running])
    assert given.heard.until(5_000) not in ("", STORY)
