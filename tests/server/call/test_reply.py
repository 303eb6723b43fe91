"""One reply: words into sound, four stages at once, and what happens when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from antiphon_protocol.audio import PCM, PCMU
from antiphon_providers.interfaces import (
    Prompt,
    Said,
    Sound,
    Spent,
    ToolUse,
    Used,
)
from antiphon_providers.scripted import ScriptedLanguageModel, ScriptedTextToSpeech
from antiphon_providers.scripted.language_model import said
from antiphon_server.call.patience import PROGRESS_SECONDS
from antiphon_server.call.reply import Task
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.sound import decode
from antiphon_server.conversation.vocabulary import (
    ReplyFinished,
    ToolUsed,
)
from server.call.reply_stage import PROMPT, STORY, Stage, answered
from server.call.scripted_call import llm, sample, tts
from virtual_time import in_virtual_time

# --- streaming -----------------------------------------------------------------------------


@in_virtual_time
async def test_a_text_is_said_word_for_word_without_a_model() -> None:
    """As a greeting is: all of it, at the pace of speech, and then it is finished."""
    model, voice = llm(), tts()
    stage = Stage(model, voice)
    await stage.run(Task(text=STORY))
    assert " ".join(voice.spoken) == STORY == stage.reply.heard.text
    assert stage.events == [ReplyFinished(1)]
    assert stage.loop.time() == pytest.approx(stage.seconds, abs=0.01)
    assert model.desk.opened == 0


@in_virtual_time
async def test_the_first_audio_comes_before_the_model_has_finished() -> None:
    """The first sentence sounds while the last is still unwritten."""
    stage = await answered(llm(replies=STORY, first_token_ms=300, per_token_ms=200), tts())
    words = len(STORY.split())
    written = 0.3 + 0.2 * words
    assert stage.audio[0][0] < 0.3 + 0.2 * 7
    assert stage.audio[0][0] < written / 2
    assert stage.events == [ReplyFinished(1)]


@in_virtual_time
async def test_the_marks_of_the_clock_are_in_order() -> None:
    """Prompt, token, sentence, speech asked, sound: each at its own time."""
    stage = await answered(
        llm(replies=STORY, first_token_ms=300, per_token_ms=50), tts(first_sound_ms=150)
    )
    clock = stage.clock
    assert clock.prompted == 0.0
    assert clock.first_token == pytest.approx(0.3)
    assert clock.first_sentence == clock.speech_asked
    assert clock.first_sound is not None
    assert clock.speech_asked is not None
    assert clock.first_sound - clock.speech_asked == pytest.approx(0.15)


@in_virtual_time
async def test_each_word_is_told_once_and_the_last_is_known_as_the_last() -> None:
    """Joined with spaces they are the text; the flag is the last word's alone."""
    stage = await answered(llm(replies=STORY, per_token_ms=100), tts())
    assert " ".join(text for text, _ in stage.words) == STORY
    assert [last for _, last in stage.words] == [False] * (len(stage.words) - 1) + [True]


@in_virtual_time
async def test_a_voice_that_knows_no_word_times_has_its_words_told_all_the_same() -> None:
    """Estimated."""
    stage = await answered(llm(replies=STORY), tts(word_times=False))
    assert " ".join(text for text, _ in stage.words) == STORY


@in_virtual_time
async def test_sound_has_the_rate_and_encoding_of_the_call() -> None:
    """A voice of 22,050 samples per second in a call with μ-law: the same seconds."""
    settings = replace(CallSettings(), output=PCMU)
    voice = tts(rate=22_050)
    stage = await answered(llm(replies=STORY), voice, settings)
    spoken = sum(len(sentence) for sentence in voice.spoken) * 0.06
    assert stage.seconds == pytest.approx(spoken, abs=0.01)
    samples = decode(b"".join(raw for _, raw in stage.audio), PCMU)
    assert np.abs(samples.astype(int)).max() > 5000


@in_virtual_time
async def test_the_volume_is_the_calls() -> None:
    """Half the volume is half the level; the voice is the one that was chosen."""
    peaks = []
    for volume in (None, 50.0):
        voice = tts()
        stage = await answered(
            llm(replies="Hello there."), voice, replace(CallSettings(), volume=volume)
        )
        samples = decode(b"".join(raw for _, raw in stage.audio), PCM)
        peaks.append(np.abs(samples.astype(int)).max())
        assert list(voice.voices) == ["anna"]
    assert peaks[1] == pytest.approx(peaks[0] / 2, abs=1)


@in_virtual_time
async def test_a_model_faster_than_the_voice_is_not_too_slow() -> None:
    """Four thousand characters written at once take minutes to say, and all of it is said: the
    model's deadlines are for writing.
    """
    text = "Yes it is. " * 350
    stage = await answered(llm(replies=text), tts())
    assert stage.events == [ReplyFinished(1)]
    assert stage.reply.heard.text == text.strip()
    assert stage.loop.time() > 200


# --- tools ---------------------------------------------------------------------------------


@in_virtual_time
async def test_a_reply_of_tool_calls_alone_makes_no_sound() -> None:
    """Each call is passed on as it is made; then the reply is finished."""
    use = ToolUse("call_1", "look_up", {"n": 1})
    other = ToolUse("call_2", "unlisted", {})
    model = ScriptedLanguageModel(answer=lambda _prompt: [Used(use), Used(other), Spent(1, 1)])
    stage = await answered(model, tts())
    assert stage.uses == [use, other]
    assert stage.events == [
        ToolUsed(1, "call_1", 120_000),
        ToolUsed(1, "call_2", 120_000),
        ReplyFinished(1),
    ]
    assert stage.audio == []


@in_virtual_time
async def test_words_before_a_tool_call_are_spoken() -> None:
    """The preamble sounds, and the call does not wait for its end."""
    use = ToolUse("call_1", "look_up", {})
    pieces: list[Said | Used] = [*said("Let me look that up."), Used(use)]
    stage = await answered(ScriptedLanguageModel(answer=lambda _prompt: pieces), tts())
    assert stage.events == [ToolUsed(1, "call_1", 120_000), ReplyFinished(1)]
    assert stage.reply.heard.text == "Let me look that up."


# --- failure -------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["at open", "after 0", "after 3", "after 9"])
@pytest.mark.parametrize("kind", ["unavailable", "refused", "too_slow", "malformed"])
@in_virtual_time
async def test_a_model_that_fails_at_any_point_fails_the_reply(kind: str, after: str) -> None:
    """Once, with what the provider said of it; the voice is stopped and nothing is left open."""
    labels = {"stage": "language_model", "provider": "scripted"}
    codes = {"too_slow": "timeout"}
    code = f"provider_{codes.get(kind, kind)}"
    before = sample("antiphon_provider_errors_total", code=code, **labels)
    model = llm(replies=STORY, fault=f"{kind} {after}", per_token_ms=100)
    stage = await answered(model, tts())
    failure = stage.failure()
    assert failure.code == "llm_provider_error"
    assert failure.retryable == (kind != "refused")
    assert sample("antiphon_provider_errors_total", code=code, **labels) == before + 1


@pytest.mark.parametrize("after", ["at open", "after 0", "after 1", "after 30"])
@pytest.mark.parametrize("kind", ["unavailable", "refused", "too_slow", "malformed"])
@in_virtual_time
async def test_a_voice_that_fails_at_any_point_fails_the_reply(kind: str, after: str) -> None:
    """As above; the model is stopped too."""
    model = llm(replies=STORY, per_token_ms=300)
    stage = await answered(model, tts(fault=f"{kind} {after}"))
    failure = stage.failure()
    assert failure.code == "tts_provider_error"
    assert failure.retryable == (kind != "refused")


@pytest.mark.parametrize("after", ["at open", "after 0", "after 5"])
@in_virtual_time
async def test_a_voice_that_stalls_is_given_up(after: str) -> None:
    """Ten seconds after its last sound, or after it was asked."""
    stage = await answered(llm(replies=STORY), tts(fault=f"stall {after}"))
    assert stage.failure().code == "tts_provider_error"
    assert stage.failure().retryable
    assert stage.loop.time() == pytest.approx(PROGRESS_SECONDS, abs=0.01)


@in_virtual_time
async def test_a_voice_that_waits_for_words_has_not_stalled() -> None:
    """Its deadline stands still while the model is slow, even if it asks for words early."""

    class Eager(ScriptedTextToSpeech):
        """Takes the next sentence before it has given the sound of this one."""

        async def speak(self, sentences: Any, options: Any) -> AsyncIterator[Sound]:  # type: ignore[override]
            ahead: asyncio.Queue[str | None] = asyncio.Queue()

            async def take() -> None:
                async for sentence in sentences:
                    ahead.put_nowait(sentence)
                ahead.put_nowait(None)

            async def queued() -> AsyncIterator[str]:
                while (sentence := await ahead.get()) is not None:
                    yield sentence

            taking = asyncio.create_task(take())
            async for sound in super().speak(queued(), options):
                yield sound
            await taking

    pieces = [Said("Well, now."), *said(" That took a while."), *said(" But it came in the end.")]
    for voice in (tts(), Eager()):
        model = ScriptedLanguageModel(
            llm(first_token_ms=9000, per_token_ms=4000).options, answer=lambda _prompt: pieces
        )
        stage = Stage(model, voice)
        await stage.run(Task(prompt=PROMPT))
        assert stage.events == [ReplyFinished(1)]


@in_virtual_time
async def test_a_voice_that_waits_for_room_has_not_stalled() -> None:
    """One sentence of half a minute, synthesised at once, is paced out and not cut."""
    stage = await answered(llm(replies="word " * 40 + "."), tts(ms_per_character=300))
    assert stage.events == [ReplyFinished(1)]
    assert stage.seconds > 30


@pytest.mark.parametrize("pieces", [[], [Said("  \n ")], [Spent(3, 0)]])
@in_virtual_time
async def test_a_model_that_says_nothing_has_failed(pieces: list[Any]) -> None:
    """Neither words nor a tool call: the caller is not left in silence without a reason."""
    stage = await answered(ScriptedLanguageModel(answer=lambda _prompt: pieces), tts())
    assert stage.failure().code == "llm_provider_error"
    assert stage.audio == []


@in_virtual_time
async def test_a_voice_without_sound_has_failed() -> None:
    """Words that cannot be heard are no reply."""
    stage = await answered(llm(replies=STORY), tts(fault="empty"))
    assert stage.failure().code == "tts_provider_error"


@in_virtual_time
async def test_what_a_provider_breaks_with_comes_out() -> None:
    """Anything but a ``ProviderError`` is a fault; the session reports it as its own."""

    def answer(_prompt: Prompt) -> Any:
        yield Said("Hello. ")
        raise ZeroDivisionError

    stage = Stage(ScriptedLanguageModel(answer=answer), tts())
    with pytest.raises(ExceptionGroup) as caught:
        await stage.run(Task(prompt=PROMPT))
    assert caught.group_contains(ZeroDivisionError)


@pytest.mark.parametrize("after_ms", [0, 150, 400, 1000, 3000])
@in_virtual_time
async def test_cancelling_stops_both_providers_at_once(after_ms: int) -> None:
    """Whatever it is doing: model and voice are closed before the cancellation returns."""
    model = llm(replies=STORY * 3, first_token_ms=100, per_token_ms=100)
    voice = tts(first_sound_ms=100)
    stage = Stage(model, voice)
    running = asyncio.create_task(stage.run(Task(prompt=PROMPT)))
    await asyncio.sleep(after_ms / 1000)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (model.desk.active, voice.desk.active) == (0, 0)
    assert stage.events == []
    assert stage.loop.time() == pytest.approx(after_ms / 1000, abs=0.02)
