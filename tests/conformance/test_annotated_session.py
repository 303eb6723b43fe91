"""The annotated session of Appendix A, event for event."""

from __future__ import annotations

import pytest

from conformance.dialogue import LONG
from conformance.scenes import annotated_session
from conformance.stage import Trace, shows

pytestmark = pytest.mark.needs("callback-url")

STREAMED = ("reply.audio", "transcript.agent.delta", "transcript.user.delta")
START = ["session.updated", "session.ready"]
GREETING = ["reply.started", "transcript.agent", "reply.done"]
USER = ["input.speech.started", "input.speech.stopped", "transcript.user"]
TOOL = ["reply.started", "tool.call", "reply.done"]
CUT = ["reply.started", "input.speech.started", "transcript.agent", "reply.done"]
END = ["session.ended"]


@shows(annotated_session)
def test_the_whole_session_in_order(trace: Trace) -> None:
    """§A, §4.2 to §4.11: every event that is not streamed, in the order of the annotation."""
    expected = [*START, *GREETING, *USER, *TOOL, *CUT, *END]
    without = trace.kinds(*STREAMED)
    # Whether the cutting words get their own transcript before the end is a race of the client.
    heard_more = {"input.speech.stopped", "transcript.user"}
    assert [one for at, one in enumerate(without) if at < 14 or one not in heard_more] == expected
    assert trace.close_code == 1000


@shows(annotated_session)
def test_the_greeting_as_annotated(trace: Trace) -> None:
    """§A: audio and words between ``reply.started`` and ``transcript.agent`` of one reply."""
    started, final, done = (trace.seen(kind)[0] for kind in GREETING)
    inside = trace.events[trace.index(started) + 1 : trace.index(final)]
    assert {event["type"] for event in inside} == {"reply.audio", "transcript.agent.delta"}
    assert {event["reply_id"] for event in inside} == {started["reply_id"]}
    assert (final["text"], final["interrupted"], done["status"]) == ("Hi.", False, "completed")


@shows(annotated_session)
def test_the_tool_turn_as_annotated(trace: Trace) -> None:
    """§A, §4.5: the call inside the reply, closed after the result, another reply after it."""
    (event,) = trace.seen("tool.call")
    assert (event["name"], event["arguments"]) == ("look_up", {"word": trace.notes["word"]})
    assert [one["status"] for one in trace.seen("reply.done")] == [
        "completed",
        "completed",
        "interrupted",
    ]


@shows(annotated_session)
def test_the_interruption_as_annotated(trace: Trace) -> None:
    """§A, §4.8: the last transcript is cut and says so."""
    cut = trace.seen("transcript.agent")[-1]
    assert cut["interrupted"] is True
    assert LONG.startswith(cut["text"].rstrip(" ,."))


@pytest.mark.recommended
@shows(annotated_session)
def test_the_end_tells_both_durations(trace: Trace) -> None:
    """§A, §9 row 15: the session's and the audio's, about equal with an open microphone."""
    (ended,) = trace.seen("session.ended")
    assert ended["session_duration_seconds"] > 5
    difference = ended["session_duration_seconds"] - ended["audio_duration_seconds"]
    assert abs(difference) < 2
