"""One reply of a call whose model hears and speaks, and what others do for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import HearingOptions, Said, Sound, Spent, VoiceOptions
from antiphon_server.call import timeline
from antiphon_server.call.answering import FIRST_SOUND_SECONDS
from antiphon_server.call.interlocutor import Interlocutor
from antiphon_server.call.reply import Task
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.writing import Courtesy
from antiphon_server.conversation.vocabulary import (
    Failure,
    ReplyFailed,
    ReplyFinished,
    ReplyTroubled,
    ToolUsed,
)
from server.call.reply_stage import PROMPT, STORY, Stage
from server.call.scripted_call import llm, sample, stt, tts, used
from server.call.spoken_twin import SpokenTwin, Step, pcm, spoken
from virtual_time import in_virtual_time

FILLER = Courtesy(filler="One moment.", filler_ms=1_000)
APOLOGY = Courtesy(apology="I am sorry.")
BROKE = Unavailable("reset", provider="spoken")
BROKEN = Failure("s2s_provider_error", "reset", retryable=True)


class Duet:
    """A reply of a model that does these steps, with a language model and a voice beside it."""

    def __init__(
        self,
        steps: Sequence[Step],
        courtesy: Courtesy | None = None,
        settings: CallSettings | None = None,
        **voice: Any,
    ) -> None:
        self.spoken = SpokenTwin(steps)
        self.model = llm(replies="By the language model.")
        self.voice = tts(**voice)
        self.interlocutor = Interlocutor(self.spoken, stt(), lambda: VoiceOptions("anna"))
        self.stage = Stage(self.model, self.voice, settings, courtesy, self.interlocutor)

    async def run(self, task: Task | None = None) -> Stage:
        """The whole reply; nobody works on it any more."""
        async with self.interlocutor.open(HearingOptions()):
            await self.stage.run(task or Task(prompt=PROMPT))
        left = (self.spoken.running, self.model.desk.active, self.voice.desk.active)
        assert left == (0, 0, 0)
        return self.stage


async def given(steps: Sequence[Step], courtesy: Courtesy | None = None) -> Duet:
    """A reply of a model that does these steps, over."""
    duet = Duet(steps, courtesy)
    await duet.run()
    return duet


@in_virtual_time
async def test_the_model_answers_by_itself() -> None:
    """Neither the language model nor the voice is asked; all of its words are told."""
    duet = await given([0.3, *spoken(STORY), Spent(9, 3)])
    stage = duet.stage
    assert stage.events == [ReplyFinished(1)]
    assert [word for word, _ in stage.words] == STORY.split()
    assert [last for _, last in stage.words].count(True) == 1
    assert stage.words[-1][1]
    assert stage.seconds == pytest.approx(stage.reply.heard.ms / 1000)
    assert stage.reply.heard.text == STORY
    assert duet.spoken.prompts == [PROMPT]
    assert (duet.model.desk.opened, duet.voice.desk.opened) == (0, 0)
    assert stage.reply.answering is not None
    assert stage.reply.answering.spent == Spent(9, 3)


@in_virtual_time
async def test_its_sound_is_played_before_it_has_ended() -> None:
    """The first of it is heard at once."""
    duet = Duet([*spoken("One two three."), 5.0, *spoken("Four five.")])
    running = asyncio.create_task(duet.run())
    await asyncio.sleep(2)
    assert duet.stage.audio
    assert [word for word, _ in duet.stage.words] == ["One", "two"]
    await running


@in_virtual_time
async def test_what_is_said_word_for_word_is_the_voices() -> None:
    """A greeting is said to the letter, which a model that speaks cannot promise."""
    duet = Duet(spoken("Whatever."))
    stage = await duet.run(Task(text="Welcome."))
    assert list(duet.voice.spoken) == ["Welcome."]
    assert duet.spoken.prompts == []
    assert stage.reply.answering is None


@in_virtual_time
async def test_a_reply_in_text_is_the_language_models() -> None:
    """The client wants no sound."""
    duet = Duet(spoken("Whatever."), settings=CallSettings(output_text=True))
    stage = await duet.run()
    assert stage.reply.shown == "By the language model."
    assert duet.spoken.prompts == []


@pytest.mark.parametrize(
    "steps",
    [
        [Unavailable("reset", provider="spoken")],
        [Said("Unheard."), Unavailable("reset", provider="spoken")],
        [],
    ],
    ids=["at-once", "after-text", "nothing"],
)
@in_virtual_time
async def test_a_failure_that_nobody_heard_is_made_good(steps: Sequence[Step]) -> None:
    """The language model answers the same prompt, and the client is told of no trouble."""
    labels = {"stage": "speech_to_speech", "provider": "spoken", "to": "scripted"}
    code = "provider_unavailable" if steps else "provider_malformed"
    before = sample("antiphon_provider_switches_total", **labels, reason=code)
    failures = {"stage": "speech_to_speech", "provider": "spoken", "code": code}
    failed = sample("antiphon_provider_errors_total", **failures)
    duet = await given(steps, APOLOGY)
    assert duet.stage.events == [ReplyFinished(1)]
    assert duet.stage.reply.heard.text == "By the language model."
    assert list(duet.model.prompts) == [PROMPT]
    assert sample("antiphon_provider_switches_total", **labels, reason=code) == before + 1
    assert sample("antiphon_provider_errors_total", **failures) == failed + 1


@in_virtual_time
async def test_without_a_conversation_the_language_model_answers() -> None:
    """It broke off, and is being opened again."""
    duet = Duet(spoken("Whatever."))
    await duet.stage.run(Task(prompt=PROMPT))
    assert duet.stage.reply.heard.text == "By the language model."


@in_virtual_time
async def test_the_stages_of_a_reply_that_was_made_good_add_up() -> None:
    """The time that the failed model took is its own, not the server's."""
    duet = Duet([60.0])
    clock = duet.stage.clock
    await duet.run()
    clock.sent = clock.first_sound
    stages = clock.stages()
    assert stages[timeline.SPOKEN_ANSWER] == 1000 * FIRST_SOUND_SECONDS
    assert stages[timeline.OVERHEAD] == pytest.approx(0, abs=1)
    assert sum(stages.values()) == pytest.approx(2 * stages[timeline.RESPONSE])


@in_virtual_time
async def test_a_failure_in_the_middle_is_apologised_for() -> None:
    """By the voice, after what was heard; the client is told."""
    steps: list[Step] = [Said(STORY), Sound(pcm(2_000), 0), BROKE]
    duet = await given(steps, APOLOGY)
    stage = duet.stage
    assert stage.events == [ReplyTroubled(1, BROKEN), ReplyFinished(1)]
    heard = stage.reply.heard.text
    said = heard.removesuffix(" I am sorry.")
    assert heard != said
    assert STORY.startswith(said)
    assert [word for word, _ in stage.words] == heard.split()
    assert duet.model.desk.opened == 0
    assert stage.seconds == pytest.approx(2 + len("I am sorry.") * 0.06)


@in_virtual_time
async def test_without_an_apology_a_failure_in_the_middle_ends_the_reply() -> None:
    """With an error code of its own."""
    steps: list[Step] = [*spoken("One two."), Unavailable("reset", provider="spoken")]
    duet = await given(steps)
    assert duet.stage.events == [ReplyFailed(1, BROKEN)]


@in_virtual_time
async def test_a_tool_call_is_not_repeated_by_another_model() -> None:
    """A failure after it is apologised for, as one after sound."""
    steps: list[Step] = [used("call_1"), Unavailable("reset", provider="spoken")]
    duet = await given(steps, APOLOGY)
    assert duet.stage.events == [
        ToolUsed(1, "call_1", 120_000),
        ReplyTroubled(1, BROKEN),
        ReplyFinished(1),
    ]
    assert duet.model.desk.opened == 0
    assert duet.stage.reply.heard.text == "I am sorry."


@in_virtual_time
async def test_a_slow_model_is_filled_in_for() -> None:
    """By the voice; its own first sound waits until the filler is said."""
    duet = await given([1.2, *spoken("Here it is.")], FILLER)
    stage = duet.stage
    assert stage.reply.heard.text == "One moment. Here it is."
    assert [word for word, _ in stage.words] == ["One", "moment.", "Here", "it", "is."]
    first, _ = stage.audio[0]
    assert first == pytest.approx(1.0, abs=0.01)
    assert stage.reply.heard.ms == len("One moment.Here it is. ") * 60


@pytest.mark.parametrize("steps", [[0.9, *spoken("Here.")], [0.9, used("call_1"), 0.5]])
@in_virtual_time
async def test_a_model_that_is_not_slow_is_not_filled_in_for(steps: Sequence[Step]) -> None:
    """Sound or a call of a tool in time: no filler."""
    duet = await given(steps, FILLER)
    assert duet.voice.desk.opened == 0
    assert duet.stage.events[-1] == ReplyFinished(1)


@in_virtual_time
async def test_a_filler_is_said_once() -> None:
    """Also where the model fails after it, and another one is slow, too."""
    duet = Duet([1.5, Unavailable("reset")], FILLER)
    duet.model = llm(replies="By the language model.", first_token_ms=1_500)
    duet.stage = Stage(duet.model, duet.voice, None, FILLER, duet.interlocutor)
    stage = await duet.run()
    assert stage.reply.heard.text == "One moment. By the language model."


@in_virtual_time
async def test_a_filler_that_cannot_be_said_costs_nothing() -> None:
    """What nobody heard stands in no ledger; the answer is heard all the same."""
    duet = Duet([1.5, *spoken("Here it is.")], FILLER, fault="empty")
    stage = await duet.run()
    assert stage.events == [ReplyFinished(1)]
    assert stage.reply.heard.until(100_000) == stage.reply.heard.text == "Here it is."
    assert [word for word, _ in stage.words] == ["Here", "it", "is."]


@pytest.mark.parametrize("after_ms", [0, 150, 1_100, 2_000, 4_000])
@in_virtual_time
async def test_cancelling_stops_everybody_at_once(after_ms: int) -> None:
    """Whatever it is doing: the model, and the voice that fills in, are closed."""
    duet = Duet([1.5, *spoken(STORY)], FILLER)
    running = asyncio.create_task(duet.run())
    await asyncio.sleep(after_ms / 1000)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (duet.spoken.running, duet.voice.desk.active, duet.stage.events) == (0, 0, [])
    assert duet.stage.loop.time() == pytest.approx(after_ms / 1000, abs=0.02)


@in_virtual_time
async def test_what_a_model_breaks_with_comes_out() -> None:
    """Anything but a ``ProviderError`` is a fault; the session reports it as its own."""
    duet = Duet([ZeroDivisionError()])
    with pytest.raises(ExceptionGroup) as caught:
        await duet.run()
    assert caught.group_contains(ZeroDivisionError)
