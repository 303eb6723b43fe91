"""A conversation on the screen."""

import io

from antiphon.events import (
    AgentTranscript,
    AgentTranscriptDelta,
    Dropped,
    ReplyError,
    ReplyStarted,
    Resumed,
    SessionErrorEvent,
    SpeechStarted,
    ToolCall,
    UserTranscript,
    UserTranscriptDelta,
)
from antiphon.terminal import Terminal
from antiphon.transcript import Transcript
from clients.test_terminal import Screen


def _word(delta: str) -> AgentTranscriptDelta:
    return AgentTranscriptDelta(reply_id="r", item_id="m", delta=delta, start_ms=None, end_ms=None)


def test_a_pipe_gets_what_is_final() -> None:
    """One line for each thing said, in order."""
    out = io.StringIO()
    transcript = Transcript(Terminal(out))
    for event in (
        SpeechStarted(),
        UserTranscriptDelta(item_id="m", text="hel"),
        UserTranscript(item_id="m", text="Hello."),
        ReplyStarted(reply_id="r", item_id="m"),
        ToolCall(call_id="c", name="look", arguments={}),
        _word("Good "),
        AgentTranscript(reply_id="r", item_id="m", text="Good", interrupted=True),
        ReplyError(reply_id="r", code="llm_provider_error", message="Down.", retryable=True),
        SessionErrorEvent(code="invalid_format", message="What?"),
        Dropped(1006),
        Resumed(1.25),
    ):
        transcript.show(event)
    assert out.getvalue().splitlines() == [
        "  you     Hello.",
        "  tool    look",
        "  agent   Good (interrupted)",
        "  error   llm_provider_error: Down.",
        "  error   invalid_format: What?",
        "  line    lost; coming back",
        "  line    back after 1.2 s",
    ]


def test_a_terminal_sees_words_as_they_come() -> None:
    """The user's are replaced, the agent's joined, with and without spaces of their own."""
    screen = Screen()
    transcript = Transcript(Terminal(screen))
    transcript.show(UserTranscriptDelta(item_id="m", text="hel"))
    transcript.show(UserTranscriptDelta(item_id="m", text="hello"))
    for word in ("Good ", "day", "to", " you"):
        transcript.show(_word(word))
    shown = screen.getvalue()
    assert "hel\r" in shown
    assert "hello\r" in shown
    assert shown.endswith("Good day to you")
