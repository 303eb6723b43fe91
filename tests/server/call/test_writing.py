"""The words of one reply: what a model writes, how long it may take, and courtesy meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_providers.interfaces import Chosen, Prompt, Said, Spent, ToolUse, Used
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_providers.scripted.language_model import LanguageModelScript
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.writing import (
    FIRST_TOKEN_SECONDS,
    MOST_CHARACTERS,
    PROGRESS_SECONDS,
    REPLY_SECONDS,
    SLOW_SECONDS,
    Courtesy,
)
from antiphon_server.conversation.vocabulary import ReplyFinished, ReplyTroubled, ToolUsed
from server.call.reply_stage import STORY, answered
from server.call.scripted_call import llm, tts
from virtual_time import in_virtual_time

FILLER = Courtesy(filler="One moment.", filler_ms=2_500)
APOLOGY = Courtesy(apology="I am sorry, please say that again.")


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
    stage = await answered(llm(replies=told, per_token_ms=1000), voice)
    clock = stage.reply.clock
    assert clock.first_token is not None
    assert clock.first_sentence == pytest.approx(clock.first_token + SLOW_SECONDS, abs=1)
    assert stage.reply.heard.text == told
    assert list(voice.spoken) == ["One two three", "four five six seven eight.", "Nine ten."]


@in_virtual_time
async def test_a_model_that_trickles_is_given_up_in_the_end() -> None:
    """A word every nine seconds makes progress, but no conversation: a minute is enough."""
    stage = await answered(llm(replies=STORY, per_token_ms=9000), tts())
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
