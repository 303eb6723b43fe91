"""What goes wrong in a call goes on record, in plain words, and its trace is told all the same."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.call import records as r
from antiphon_server.call.chronicle import MOST_TROUBLES, Chronicle
from antiphon_server.call.reply import _WIRE_CODES
from antiphon_server.call.troubles import STAGES, SWITCHED, Troubles
from antiphon_server.call.writing import Courtesy
from antiphon_server.observe import notes
from antiphon_server.observe.providers import ProviderWatch
from antiphon_server.observe.spans import Value
from server.call.scripted_call import Stages, calling, llm
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time


class _Trace:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def note(self, name: str, attributes: dict[str, Value]) -> None:
        self.told.append((name, attributes))

    def asks(self, call_id: str, method: str, url: str) -> None:
        self.told.append((call_id, method, url))

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        self.told.append((call_id, status, failure))

    def traceparent(self, call_id: str | None) -> str | None:
        return f"00-{call_id}"


def _troubles(recorder: RecorderTwin, reply_id: str | None = None) -> Troubles:
    chronicle = Chronicle("sess_1", recorder, asyncio.get_running_loop().time)
    return Troubles(chronicle, lambda: reply_id)


@in_virtual_time
async def test_a_provider_that_fails_is_on_record_in_the_call_it_happened_to() -> None:
    """Whoever tells of it knows no call: the context does."""
    recorder, other = RecorderTwin(), RecorderTwin()
    watch = ProviderWatch("language_model")
    mine = _troubles(recorder, "resp_1")
    _troubles(other)
    mine.context().run(watch.failed, "openai", "provider_timed_out")
    mine.context().run(watch.switched, "openai", "anthropic", "provider_timed_out")
    failed, switched = recorder.of(r.Troubled)
    assert (failed.source, failed.code, failed.stage, failed.provider, failed.reply_id) == (
        "provider",
        "provider_timed_out",
        "language_model",
        "openai",
        "resp_1",
    )
    assert failed.message == "openai failed (language model): provider timed out"
    assert (switched.code, switched.provider) == (SWITCHED, "openai")
    assert "anthropic took over from openai" in switched.message
    assert other.records == []


@in_virtual_time
async def test_a_trace_is_told_everything() -> None:
    """Also what is no trouble; without one nobody is, and nothing breaks."""
    recorder, trace = RecorderTwin(), _Trace()
    troubles = _troubles(recorder)

    def happen() -> str | None:
        notes.calling("call_1")
        ProviderWatch("text_to_speech").hedged("flite", won=None)
        notes.asks("GET", "https://tools.example")
        notes.answered(200)
        return notes.outgoing()

    assert troubles.context().run(happen) is None
    assert trace.told == []
    troubles.trace = trace
    assert troubles.context().run(happen) == "00-call_1"
    assert [told[0] for told in trace.told] == ["provider.hedged", "call_1", "call_1"]
    assert recorder.of(r.Troubled) == []


@in_virtual_time
async def test_a_message_that_was_refused_is_on_record() -> None:
    """As the client was told."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), system_prompt="p") as caller:
        caller.update(greeting="frozen")
        error = await caller.until(wire.SessionError)
    (trouble,) = recorder.of(r.Troubled)
    assert (trouble.source, trouble.code, trouble.message) == ("client", error.code, error.message)
    assert trouble.reply_id is None


@in_virtual_time
async def test_a_client_that_sends_nonsense_without_end_fills_no_disk() -> None:
    """The first hundred are on record; all are told."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), system_prompt="p") as caller:
        for _ in range(MOST_TROUBLES + 20):
            caller.line.coming.put_nowait("nonsense")
        await asyncio.sleep(5)
        assert len(caller.heard(wire.SessionError)) == MOST_TROUBLES + 20
    assert len(recorder.of(r.Troubled)) == MOST_TROUBLES


@pytest.mark.parametrize("apology", ["", "Sorry, something went wrong."])
@in_virtual_time
async def test_a_reply_that_fails_is_on_record(apology: str) -> None:
    """With its stage and who served it, whether it broke off or apologised."""
    recorder = RecorderTwin()
    model = llm(fault="unavailable at open")
    stages = Stages(llm=model, recorder=recorder, courtesy=Courtesy(apology=apology))
    async with calling(stages, system_prompt="p") as caller:
        await caller.say()
        error = await caller.until(wire.ReplyError)
        done = await caller.until(wire.ReplyDone)
    (trouble,) = recorder.of(r.Troubled)
    assert (trouble.source, trouble.code) == ("reply", "llm_provider_error")
    assert (trouble.stage, trouble.provider) == ("language_model", "scripted")
    assert (trouble.message, trouble.reply_id) == (error.message, done.reply_id)


@in_virtual_time
async def test_words_that_are_no_text_are_on_record_as_far_as_they_are() -> None:
    """Half of a surrogate pair from a vendor, and a megabyte of them."""
    recorder = RecorderTwin()
    _troubles(recorder).refused("code", "\ud800" + "x" * 1_000_000)
    (trouble,) = recorder.of(r.Troubled)
    assert trouble.message.startswith("?xxx")
    assert len(trouble.message) == 1_000


def test_the_code_of_each_stage_is_known() -> None:
    """As replies tell them."""
    assert {code: stage for stage, code in _WIRE_CODES.items()} == STAGES
