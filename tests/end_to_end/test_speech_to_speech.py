"""Somebody calls an agent whose model hears and speaks by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import antiphon as sdk
from antiphon.caller import Caller
from antiphon_providers.contract.human_speech import clip
from end_to_end.product import is_quiet, running, to_say
from fakes.openai_realtime import KEY, FakeOpenAIRealtime
from fakes.openai_realtime_response import Answer
from hostile.serving import Server

COUNTING = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."


@asynccontextmanager
async def serving(fake: FakeOpenAIRealtime, log: Path) -> AsyncIterator[Server]:
    """``antiphon serve`` with that model; it ends well."""
    settings = {
        "ANTIPHON_S2S": "openai-realtime",
        "ANTIPHON_S2S_BASE_URL": fake.url,
        "ANTIPHON_S2S_API_KEY": KEY,
    }
    with ExitStack() as stack:
        # In threads, for the fake serves in this loop.
        server = await asyncio.to_thread(stack.enter_context, running(log, **settings))
        yield server
        status = await asyncio.to_thread(server.stop)
        assert (status, is_quiet(server.log)) == (0, True), server.log


async def test_a_call_is_answered_interrupted_and_remembered_as_it_was_heard(
    tmp_path: Path,
) -> None:
    """The greeting is another voice's; an answer that was cut ends for the model where it ended
    for the caller; all that the caller said, and heard to the end, stays with it as speech.
    """
    events: list[sdk.Event] = []
    settings = {"system_prompt": "Be kind.", "greeting": "Hello there."}
    async with FakeOpenAIRealtime() as fake, serving(fake, tmp_path / "log") as server:
        fake.transcripts = ["It was wisdom.", "Count, please.", "Stop."]
        fake.answers = [Answer("I see."), Answer(COUNTING, ms_per_word=400), Answer("All right.")]
        async with (
            sdk.connect(server.ws, **settings) as call,  # type: ignore[arg-type]
            Caller(call, witness=events.append) as caller,
        ):
            first = await caller.converse(to_say(clip("wisdom")))
            await caller.say(to_say(clip("best")))
            before = len(events)
            await caller.wait_for(
                lambda: sum(isinstance(event, sdk.ReplyAudio) for event in events[before:]) > 40,
                10,
                "silence",
            )
            last = await caller.converse(to_say(clip("everything")))
            remembered = fake.texts()
    assert (first.transcript, first.reply_text) == ("It was wisdom.", "I see.")
    assert last.answer is not None
    assert last.answer.text == "All right."
    [cut] = [reply.text for reply in caller.ear.replies if reply.interrupted]
    assert COUNTING.startswith(cut)
    assert remembered == [
        "assistant output_text: Hello there.",
        "user input_audio: It was wisdom.",
        "assistant output_audio: I see.",
        "user input_audio: Count, please.",
        f"assistant output_text: {cut}",
        "user input_audio: Stop.",
        "assistant output_audio: All right.",
    ]
    assert "error" not in fake.connections[-1].sent
