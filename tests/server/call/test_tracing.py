"""The spans of a call, from the marks of its clock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon_providers.interfaces import Chosen, ToolUse
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.call.tool_spans import MOST_CONTENT
from antiphon_server.call.tools import Returned
from antiphon_server.call.tracing import MOST_NOTES, CallTrace, Served
from antiphon_server.observe import notes
from antiphon_server.observe.spans import Trace
from antiphon_server.observe.traceparent import parse
from server.call.traced_stage import PROVIDERS, ROOT, SERVED, Stage, clock, said
from server.observe.kept_spans import KeptSpans


def test_a_turn_has_its_stages_below_it() -> None:
    """The model's own below the model; each within its parent; all in one trace."""
    stage = Stage()
    turn = stage.turn(said())
    stages = stage.below(turn)
    assert set(stages) == {
        "user_speech",
        "endpointing",
        "voice_activity",
        "speech_to_text",
        "turn_detection",
        "chat",
        "text_to_speech_first_audio",
        "agent_speech",
    }
    model = stage.below(stages["chat"])
    assert set(model) == {"language_model_first_token", "language_model_first_sentence"}
    for parent, spans in ((turn, stages), (stages["chat"], model)):
        for span in spans.values():
            assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns
    assert turn.parent_id == ROOT
    assert {span.trace_id for span in stage.kept.spans} == {5}
    assert turn.end_ns - turn.start_ns == pytest.approx(5.5e9, abs=2)
    assert {span.attributes["gen_ai.conversation.id"] for span in stage.kept.spans} == {"sess_1"}
    assert {span.attributes["gen_ai.agent.id"] for span in stage.kept.spans} == {"agent_1"}


def test_the_model_says_what_it_cost_and_who_it_was() -> None:
    """Tokens, provider, model; why it was chosen without what a small model said of the user."""
    stage = Stage()
    chosen = Chosen("other", "small-1", "rules: asks about birds")
    other = Served({**PROVIDERS, "language_model": "other"}, {"language_model": "small-1"})
    stage.turn(said(clock(chosen=chosen), cached_tokens=4), served=other)
    chat = stage.kept.one("chat small-1")
    assert chat.kind == "client"
    assert chat.attributes["gen_ai.provider.name"] == "other"
    assert chat.attributes["gen_ai.request.model"] == "small-1"
    assert chat.attributes["gen_ai.usage.input_tokens"] == 12
    assert chat.attributes["gen_ai.usage.output_tokens"] == 3
    assert chat.attributes["gen_ai.usage.cache_read.input_tokens"] == 4
    assert chat.attributes["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.199)
    assert chat.attributes["antiphon.reason"] == "rules"


def test_each_stage_says_who_served_it() -> None:
    """Provider, and model where it has a name; waiting is nobody's."""
    stage = Stage()
    stages = stage.below(stage.turn(said()))
    voice = stages["text_to_speech_first_audio"].attributes
    assert (voice["gen_ai.provider.name"], voice["gen_ai.request.model"]) == ("voice", "loud-2")
    assert stages["speech_to_text"].attributes["gen_ai.provider.name"] == "ears"
    assert "gen_ai.provider.name" not in stages["endpointing"].attributes


def test_what_was_said_word_for_word_has_no_model() -> None:
    """A greeting: its voice alone."""
    stage = Stage()
    greeting = ReplyClock(
        1,
        "greeting",
        100.0,
        first_sentence=100.0,
        speech_asked=100.1,
        first_sound=100.2,
        sent=100.3,
    )
    turn = stage.turn(said(greeting))
    assert set(stage.below(turn)) == {"text_to_speech_first_audio", "agent_speech"}
    assert turn.attributes["antiphon.reply.trigger"] == "greeting"


def test_a_reply_that_was_never_heard_ends_where_it_was_cut() -> None:
    """Before its first word: the model's span ends with the turn."""
    stage = Stage()
    marks: dict[str, Any] = dict.fromkeys(
        ("first_token", "first_sentence", "written", "speech_asked", "first_sound", "sent")
    )
    turn = stage.turn(said(clock(**marks), ended=100.1), cut=True)
    chat = stage.below(turn)["chat"]
    assert chat.end_ns == turn.end_ns
    assert "agent_speech" not in stage.below(turn)
    assert turn.attributes["antiphon.reply.status"] == "interrupted"
    assert [event.name for event in turn.events] == ["interrupted"]
    assert turn.error is None


def test_what_happened_is_an_event_of_its_turn() -> None:
    """A provider's trouble while the turn lasted; what was before it is the session's."""
    stage = Stage()
    stage.seconds = 60.0
    stage.trace.note("provider.failed", {"gen_ai.provider.name": "ears"})
    stage.seconds = 100.1
    stage.trace.note("provider.switched", {"antiphon.to": "other"})
    turn = stage.turn(said())
    assert [event.name for event in turn.events] == ["provider.switched"]
    stage.trace.closed("client_ended")
    session = stage.kept.one("session")
    assert [event.name for event in session.events] == ["provider.failed"]


def test_a_reply_that_failed_is_an_error() -> None:
    """So is the model's span where the model had not written all."""
    stage = Stage()
    stage.seconds = 100.1
    attributes = {"error.type": "provider_timeout", "antiphon.stage": "language_model"}
    stage.trace.note("reply.failed", {**attributes})
    turn = stage.turn(said(clock(written=None)))
    assert turn.error == turn.attributes["error.type"] == "provider_timeout"
    assert stage.below(turn)["chat"].error == "provider_timeout"
    following = stage.turn(said(clock(2, 200.0)))
    assert following.error is None


def test_notes_are_bounded() -> None:
    """A provider that fails all day in a call without turns."""
    stage = Stage()
    for _ in range(10 * MOST_NOTES):
        stage.trace.note("provider.failed", {})
    stage.trace.closed("client_left")
    assert len(stage.kept.one("session").events) == MOST_NOTES


# --- what others are told ------------------------------------------------------------------


def test_nobody_is_told_of_a_trace_unless_a_setting_says_so() -> None:
    """Neither a model nor a tool."""
    stage = Stage()
    assert stage.trace.traceparent(None) is None
    stage.trace.tools.called(1, ToolUse("call_1", "order", {}), True)
    assert stage.trace.traceparent("call_1") is None


@pytest.mark.parametrize("sampled", [True, False])
def test_who_is_told_is_below_the_span_that_asks(sampled: bool) -> None:
    """The model's, or that of the tool's request; also in a trace that is not kept."""
    stage = Stage(spreads=True, sampled=sampled)
    model = parse(stage.trace.traceparent(None))
    assert model == parse(stage.trace.traceparent(None))
    stage.trace.tools.called(1, ToolUse("call_1", "order", {}), True)
    tool = parse(stage.trace.traceparent("call_1"))
    assert model is not None
    assert tool is not None
    assert (model.trace_id, model.sampled, tool.sampled) == (5, sampled, sampled)
    stage.trace.asks("call_1", "GET", "https://tools.example/")
    stage.trace.tools.returned(Returned("call_1", "", is_error=False))
    stage.trace.turn("rep_1", said(), SERVED, cut=False)
    again = parse(stage.trace.traceparent(None))
    assert again is not None
    assert again.span_id != model.span_id
    if sampled:
        assert stage.kept.one("chat").span_id == model.span_id
        assert stage.kept.one("GET").span_id == tool.span_id
    else:
        assert stage.kept.spans == []


def test_a_task_of_the_session_notes_in_its_trace() -> None:
    """In the context that it is given."""
    stage = Stage()
    stage.seconds = 100.1
    notes.context_of(stage.trace).run(lambda: notes.note("provider.hedged", of="it"))
    assert [event.name for event in stage.turn(said()).events] == ["provider.hedged"]


@pytest.mark.parametrize("content", [True, False])
def test_words_are_in_a_trace_only_where_they_may_be(content: bool) -> None:
    """What the user said, what was heard of the answer; cut where it is very long."""
    stage = Stage(tells_content=content)
    stage.trace.user_said("canary" * MOST_CONTENT)
    turn = stage.turn(said(text="canary heard"))
    following = stage.turn(said(clock(2, 200.0), text=""))
    assert ("canary" in str(stage.kept.spans)) == content
    if content:
        (message,) = json.loads(str(turn.attributes["gen_ai.input.messages"]))
        assert message["role"] == "user"
        assert len(message["parts"][0]["content"]) == MOST_CONTENT
        assert "gen_ai.input.messages" not in following.attributes


def test_the_session_is_the_root_of_its_trace() -> None:
    """From its first update to its end; below the caller's span, where there is one."""
    stage = Stage()
    stage.seconds = 150.0
    stage.trace.closed("client_ended")
    session = stage.kept.one("session")
    assert (session.span_id, session.parent_id, session.kind) == (ROOT, None, "server")
    assert session.end_ns - session.start_ns == 100 * 10**9
    assert session.attributes["antiphon.ending"] == "client_ended"
    assert session.attributes["antiphon.provider.speech_to_text"] == "ears"
    assert (session.error, session.is_remote) == (None, False)
    kept = KeptSpans()
    trace = CallTrace(Trace(5, ROOT, 9, sampled=True, emit=kept.emit), "sess_1", lambda: 0.0)
    assert trace.opened(None, {}) == f"{5:032x}"
    trace.closed("failed")
    session = kept.one("session")
    assert (session.parent_id, session.is_remote, session.error) == (9, True, "failed")
    assert "gen_ai.agent.id" not in session.attributes


def test_nobody_points_at_a_trace_that_is_not_kept() -> None:
    """An example of a bucket must lead somewhere."""
    trace = CallTrace(Trace(5, ROOT, None, False, KeptSpans().emit), "sess_1", lambda: 0.0)
    assert trace.opened(None, {}) is None
