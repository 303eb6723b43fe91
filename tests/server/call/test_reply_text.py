"""Replies that are text: words as they are written, and no sound (protocol section 9, row 25)."""

from __future__ import annotations

import asyncio

from antiphon_providers.interfaces import Said, ToolUse, Used
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_server.call.reply import Task
from antiphon_server.call.settings import CallSettings
from antiphon_server.conversation.vocabulary import ReplyFinished, ToolUsed
from server.call.reply_stage import PROMPT, STORY, Stage, answered
from server.call.scripted_call import llm, tts
from virtual_time import in_virtual_time

TEXT = CallSettings(output_text=True)


def shown(stage: Stage) -> list[str]:
    """All words so far."""
    return [word for words, _ in stage.shown for word in words]


@in_virtual_time
async def test_a_text_is_shown_and_not_spoken() -> None:
    """All of its words, in order; the voice is never asked, and no audio is sent."""
    voice = tts()
    stage = await answered(llm(replies=STORY), voice, TEXT)
    assert shown(stage) == STORY.split()
    assert stage.reply.shown == STORY
    assert stage.events == [ReplyFinished(1)]
    assert (stage.audio, stage.words, stage.reply.reading.characters) == ([], [], 0)
    assert stage.clock.speech_asked is None


@in_virtual_time
async def test_a_greeting_is_shown_as_well() -> None:
    """Without a model."""
    stage = Stage(llm(), tts(), TEXT)
    await stage.run(Task(text="Hello there, you."))
    assert shown(stage) == ["Hello", "there,", "you."]


@in_virtual_time
async def test_only_the_last_word_is_told_as_the_last() -> None:
    """It is held back until nothing can follow it, however slowly the model writes."""
    stage = await answered(llm(replies=STORY, per_token_ms=200), tts(), TEXT)
    assert [last for _, last in stage.shown] == [False] * (len(stage.shown) - 1) + [True]
    assert stage.shown[-1] == (["them."], True)
    assert len(stage.shown) > 2


@in_virtual_time
async def test_words_are_shown_while_the_model_still_writes() -> None:
    """From the first sentence on."""
    stage = Stage(llm(replies=STORY, per_token_ms=500), tts(), TEXT)
    running = asyncio.create_task(stage.run(Task(prompt=PROMPT)))
    await asyncio.sleep(4)
    assert stage.reply.shown.startswith("This is the first")
    assert not stage.events
    await running
    assert stage.reply.shown == STORY


@in_virtual_time
async def test_a_text_that_is_cut_off_is_what_was_shown() -> None:
    """Cancelling stops the model; what was shown stays shown."""
    model = llm(replies=STORY, per_token_ms=500)
    stage = Stage(model, tts(), TEXT)
    running = asyncio.create_task(stage.run(Task(prompt=PROMPT)))
    await asyncio.sleep(4)
    running.cancel()
    await asyncio.wait([running])
    assert model.desk.active == 0
    assert STORY.startswith(stage.reply.shown)
    assert shown(stage) == stage.reply.shown.split()
    assert stage.events == []


@in_virtual_time
async def test_a_reply_of_tool_calls_alone_shows_nothing() -> None:
    """And has not failed."""
    model = ScriptedLanguageModel(answer=lambda _prompt: [Used(ToolUse("call_1", "look_up", {}))])
    stage = await answered(model, tts(), TEXT)
    assert stage.shown == []
    assert stage.events == [ToolUsed(1, "call_1", 120_000), ReplyFinished(1)]


@in_virtual_time
async def test_a_model_that_fails_fails_a_text_as_well() -> None:
    """With its own code; what was shown before stays."""
    model = llm(replies=STORY, fault="unavailable after 9")
    stage = await answered(model, tts(), TEXT)
    assert stage.failure().code == "llm_provider_error"
    assert STORY.startswith(stage.reply.shown)
    silent = await answered(ScriptedLanguageModel(answer=lambda _prompt: [Said("  ")]), tts(), TEXT)
    assert silent.failure().code == "llm_provider_error"
