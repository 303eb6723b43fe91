"""What came before is known when it comes again."""

from __future__ import annotations

from antiphon.delivered import REMEMBERED, Delivered
from antiphon.events import (
    AgentTranscript,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    ToolCall,
    UserTranscript,
)


def test_lasting_events_are_known_by_their_ids() -> None:
    """Each kind for itself: one reply has a beginning, a text and an end."""
    delivered = Delivered()
    events = (
        UserTranscript(item_id="x", text="Hi."),
        ReplyStarted(reply_id="x", item_id="m"),
        AgentTranscript(reply_id="x", item_id="m", text="Ho.", interrupted=False),
        ReplyDone(reply_id="x", status="completed"),
        ToolCall(call_id="x", name="f", arguments={}),
    )
    assert all(delivered.is_new(event) for event in events)
    assert not any(delivered.is_new(event) for event in events)


def test_passing_events_are_always_new() -> None:
    """They have no ids, and are never sent again."""
    delivered = Delivered()
    assert delivered.is_new(SpeechStarted())
    assert delivered.is_new(SpeechStarted())
    assert delivered.last_seq == 0


def test_numbers_count_where_there_are_any() -> None:
    """What is not above the highest came before."""
    delivered = Delivered()
    assert delivered.is_new(SpeechStarted(seq=3))
    assert not delivered.is_new(SpeechStarted(seq=3))
    assert not delivered.is_new(SpeechStarted(seq=2))
    assert delivered.is_new(SpeechStarted(seq=5))
    assert delivered.last_seq == 5


def test_what_is_remembered_is_bounded() -> None:
    """A call may last for hours."""
    delivered = Delivered()
    for number in range(REMEMBERED + 1):
        delivered.is_new(UserTranscript(item_id=str(number), text=""))
    assert delivered.is_new(UserTranscript(item_id="0", text=""))
    assert not delivered.is_new(UserTranscript(item_id=str(REMEMBERED), text=""))
