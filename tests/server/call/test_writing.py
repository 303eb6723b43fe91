"""The words of one reply: what a model writes, how long it may take, and courtesy meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise
from typing import Any

import pytest

from antiphon_providers.interfaces import Chosen, Piece, Prompt, Said, Spent, ToolUse, Used
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_providers.scripted.language_model import LanguageModelScript
from antiphon_server.call.patience import (
    BEGIN_SECONDS,
    FIRST_TOKEN_SECONDS,
    HURRY_SECONDS,
    PROGRESS_SECONDS,
    REPLY_SECONDS,
    SILENT_SECONDS,
    SLOW_SECONDS,
)
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.writing import MOST_CHARACTERS, Courtesy
from antiphon_server.conversation.vocabulary import ReplyFinished, ReplyTroubled, ToolUsed
from server.call.reply_stage import STORY, answered
from server.call.scripted_call import llm, tts
from virtual_time import in_virtual_time

FILLER = Courtesy(filler="One moment.", filler_ms=2_500)
APOLOGY = Courtesy(apology="I am sorry, please say that again.")


class Improvised(ScriptedLanguageModel):
    """Takes its own time: these pieces, each after so many seconds."""

    def __init__(self, *pieces: tuple[float, Piece]) -> None:
        super().__init__()
        self._pieces = pieces

    async def reply(self, _prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """All of them."""
        for seconds, piece in self._pieces:
            await asyncio.sleep(seconds)
            yield piece


@in_virtual_time
async def test_a_reply_that_never_ends_is_cut_at_its_longest() -> None:
    """About ``MOST_CHARACTERS`` are said, and the model is stopped."""

    def answer(_prompt: Prompt) -> Any:
        while True:
            yield Said("On and on. ")

    stage = await answered(ScriptedLanguageModel(answer=answer), tts(ms_per_character=1))
    assert stage.events == [ReplyFinished(1)]
    assert len(stage.reply.heard.text) == pytest.approx(MOST_CHARACTERS, abs=20)


@in_virtual_time
async def test_a_model_that_never_begins_is_given_up() -> None:
    """After ten seconds (protocol section 3.5)."""
    stage = await answered(llm(fault="stall"), tts())
    assert stage.failure().code == "llm_provider_error"
    assert stage.loop.time() == pytest.approx(FIRST_TOKEN_SECONDS)


@in_virtual_time
async def test_a_model_that_stalls_is_given_up() -> None:
    """Ten seconds after its last word, however long it had been writing."""
    stage = await answered(llm(replies=STORY, per_token_ms=2000, fault="stall after 6"), tts())
    assert stage.failure().code == "llm_provider_error"
    assert stage.loop.time() == pytest.approx(5 * 2 + PROGRESS_SECONDS)


@in_virtual_time
async def test_a_model_that_writes_slowly_is_spoken_before_its_sentence_is_complete() -> None:
    """Three seconds after its first word what there is of it is said; the rest by sentences."""
    told = "One two three four five six seven eight. Nine ten."
    voice = tts(ms_per_character=1)
    stage = await answered(llm(replies=told, per_token_ms=950), voice)
    clock = stage.reply.clock
    assert clock.first_token is not None
    assert clock.first_sentence == pytest.approx(clock.first_token + SLOW_SECONDS, abs=1)
    assert stage.reply.heard.text == told
    assert list(voice.spoken) == ["One two three", "four five six seven eight.", "Nine ten."]


@pytest.mark.parametrize("first_ms", [300, 4_000, 5_999])
@pytest.mark.parametrize("per_token_ms", [1_500, 2_200, 4_900])
@in_virtual_time
async def test_a_model_that_trickles_is_heard_or_apologised_for_in_time(
    first_ms: int, per_token_ms: int
) -> None:
    """With what words there are, however many, or without any; and never a long silence."""
    model = llm(replies=STORY, first_token_ms=first_ms, per_token_ms=per_token_ms)
    stage = await answered(model, tts(first_sound_ms=200), courtesy=APOLOGY)
    times = [at for at, _ in stage.audio]
    assert times[0] <= BEGIN_SECONDS + 0.25
    assert max(later - earlier for earlier, later in pairwise(times)) < 15


@in_virtual_time
async def test_a_model_that_gives_one_word_late_is_apologised_for() -> None:
    """Nothing tells whether half a second after its time there would have been a sentence."""
    model = llm(replies="No, never.", first_token_ms=5_900, per_token_ms=4_000)
    stage = await answered(model, tts(), courtesy=APOLOGY)
    assert isinstance(stage.events[0], ReplyTroubled)
    assert stage.audio[0][0] == pytest.approx(BEGIN_SECONDS, abs=0.1)
    assert stage.reply.heard.text.endswith(APOLOGY.apology)


@in_virtual_time
async def test_a_model_that_trickles_words_of_two_letters_is_cut_before_its_time_is_over() -> None:
    """What there is when it would be given up is spoken a moment before; it may then go on."""
    model = llm(replies="So it is to be, as we do. Or no.", first_token_ms=5_500, per_token_ms=600)
    voice = tts(ms_per_character=1)
    stage = await answered(model, voice, courtesy=APOLOGY)
    assert stage.events == [ReplyFinished(1)]
    assert stage.clock.first_sentence == pytest.approx(BEGIN_SECONDS - HURRY_SECONDS)
    assert voice.spoken[0] == "So"


@in_virtual_time
async def test_a_sentence_that_a_model_trickles_is_spoken_in_parts() -> None:
    """Also the second one: nobody waits a minute for its end."""
    told = f"This is a first sentence. {'and on ' * 12}"
    voice = tts(ms_per_character=1)
    stage = await answered(llm(replies=told, per_token_ms=2_000), voice)
    assert stage.reply.heard.text == told.strip()
    times = [at for at, _ in stage.audio]
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert SLOW_SECONDS < longest < SILENT_SECONDS + 2.5


@in_virtual_time
async def test_a_model_that_pauses_behind_a_sentence_is_heard_meanwhile() -> None:
    """Whether it writes the arguments of a tool or thinks: whole words, with their full stop."""
    model = llm(replies="Let me look.", fault="stall after 3")
    voice = tts(ms_per_character=1)
    stage = await answered(model, voice, courtesy=APOLOGY)
    assert list(voice.spoken) == ["Let me look.", APOLOGY.apology]
    assert stage.audio[0][0] == pytest.approx(SLOW_SECONDS, abs=0.1)


@in_virtual_time
async def test_a_model_that_only_makes_room_is_given_up() -> None:
    """White space is no first word."""
    stage = await answered(Improvised(*[(1, Said("\n"))] * 20), tts())
    assert stage.failure().code == "llm_provider_error"
    assert stage.loop.time() == pytest.approx(FIRST_TOKEN_SECONDS)


@in_virtual_time
async def test_a_model_that_calls_a_tool_owes_no_words() -> None:
    """A call is an answer; a word before it need not become a sentence in time."""
    used = Used(ToolUse("call_1", "look_up", {}))

    model = Improvised((1, used), (1, Said("Well")), (7, Said(", then.")))
    stage = await answered(model, tts())
    assert stage.events[-1] == ReplyFinished(1)
    assert stage.reply.heard.text == "Well, then."


@in_virtual_time
async def test_a_model_that_trickles_is_given_up_in_the_end() -> None:
    """Two words in ten seconds make progress, but no conversation: a minute is enough."""
    stage = await answered(
        llm(replies=f"{'on ' * 40}", per_token_ms=5_000, first_token_ms=1), tts()
    )
    assert stage.failure().code == "llm_provider_error"
    assert stage.loop.time() == pytest.approx(REPLY_SECONDS)


# --- who wrote it --------------------------------------------------------------------------


@in_virtual_time
async def test_what_it_cost_and_who_wrote_it_is_kept() -> None:
    """The sum of all that was told, and the last choice."""
    chosen = [Chosen("first", "m"), Chosen("second", "n", "provider_timeout")]
    model = ScriptedLanguageModel(
        answer=lambda _prompt: [
            chosen[0], Spent(3, 1), chosen[1], Said("Well, hello."), Spent(4, 2, 3),
        ]
    )  # fmt: skip
    stage = await answered(model, tts())
    assert stage.reply.writing.spent == Spent(7, 3, 3)
    assert stage.clock.chosen == chosen[1]
    assert stage.reply.heard.text == "Well, hello."


# --- courtesy ------------------------------------------------------------------------------


@in_virtual_time
async def test_a_model_that_is_slow_to_begin_is_covered_by_a_filler() -> None:
    """Said once, after its time, and part of what was said."""
    stage = await answered(llm(replies=STORY, first_token_ms=4_000), tts(), courtesy=FILLER)
    assert stage.events == [ReplyFinished(1)]
    assert stage.reply.heard.text == f"One moment. {STORY}"
    first_heard_at = stage.audio[0][0]
    assert 2.5 <= first_heard_at < 4


@in_virtual_time
async def test_a_model_that_is_quick_needs_no_filler() -> None:
    """However long its reply takes after the first word, or after a tool call."""
    stage = await answered(llm(replies=STORY, per_token_ms=2_600), tts(), courtesy=FILLER)
    assert stage.reply.heard.text == STORY
    used = Used(ToolUse("call_1", "look_up", {}))
    stage = await answered(
        ScriptedLanguageModel(answer=lambda _prompt: [used]), tts(), courtesy=FILLER
    )
    assert stage.events == [ToolUsed(1, "call_1", 120_000), ReplyFinished(1)]


@in_virtual_time
async def test_text_needs_no_filler() -> None:
    """Who reads is not left in silence."""
    written = CallSettings(output_text=True)
    stage = await answered(llm(replies=STORY, first_token_ms=4_000), tts(), written, FILLER)
    assert stage.reply.shown == STORY


@pytest.mark.parametrize("after", ["at open", "after 0", "after 9"])
@in_virtual_time
async def test_a_model_that_fails_is_apologised_for(after: str) -> None:
    """The failure is told at once; the reply goes on with what it had, the apology, and ends."""
    model = llm(replies=STORY, fault=f"unavailable {after}")
    stage = await answered(model, tts(), courtesy=APOLOGY)
    troubled, finished = stage.events
    assert isinstance(troubled, ReplyTroubled)
    assert (troubled.reply, troubled.failure.code) == (1, "llm_provider_error")
    assert finished == ReplyFinished(1)
    assert stage.reply.heard.text.endswith(APOLOGY.apology)
    assert stage.audio


@in_virtual_time
async def test_a_filler_is_no_answer() -> None:
    """A model that says nothing has failed, whatever was said meanwhile."""
    courtesy = Courtesy(FILLER.filler, FILLER.filler_ms, APOLOGY.apology)
    slow = LanguageModelScript(first_token_ms=4_000)
    model = ScriptedLanguageModel(slow, answer=lambda _prompt: [Said(" "), Said("\n")])
    stage = await answered(model, tts(), courtesy=courtesy)
    assert isinstance(stage.events[0], ReplyTroubled)
    assert stage.reply.heard.text == f"{FILLER.filler} {APOLOGY.apology}"


@in_virtual_time
async def test_a_voice_that_fails_cannot_apologise() -> None:
    """The reply has failed."""
    stage = await answered(llm(replies=STORY), tts(fault="unavailable at open"), courtesy=APOLOGY)
    assert stage.failure().code == "tts_provider_error"
