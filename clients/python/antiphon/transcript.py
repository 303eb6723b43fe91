"""A conversation on the screen, as it happens."""

from __future__ import annotations

from antiphon.events import (
    AgentTranscript,
    AgentTranscriptDelta,
    Dropped,
    Event,
    ReplyError,
    Resumed,
    SessionErrorEvent,
    SpeechStarted,
    ToolCall,
    UserTranscript,
    UserTranscriptDelta,
)
from antiphon.terminal import Terminal


class Transcript:
    """Shows events on a terminal: words that may change in place, final ones as lines."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._agent_words: dict[str, str] = {}

    def show(self, event: Event) -> None:
        """Shows what an event says; most say nothing."""
        terminal = self._terminal
        if isinstance(event, SpeechStarted):
            terminal.saying("you", "…")
        elif isinstance(event, UserTranscriptDelta):
            terminal.saying("you", event.text)
        elif isinstance(event, UserTranscript):
            terminal.said("you", event.text, "cyan")
        elif isinstance(event, AgentTranscriptDelta):
            terminal.saying("agent", self._joined(event))
        elif isinstance(event, AgentTranscript):
            self._agent_words.pop(event.reply_id, None)
            ending = terminal.paint(" (interrupted)", "yellow") if event.interrupted else ""
            terminal.said("agent", event.text + ending, "green")
        elif isinstance(event, ToolCall):
            terminal.said("tool", event.name, "yellow")
        elif isinstance(event, ReplyError | SessionErrorEvent):
            terminal.said("error", f"{event.code}: {event.message}", "red")
        elif isinstance(event, Dropped):
            terminal.said("line", "lost; coming back", "yellow")
        elif isinstance(event, Resumed):
            terminal.said("line", f"back after {event.away_s:.1f} s", "yellow")

    def _joined(self, event: AgentTranscriptDelta) -> str:
        """The words so far; servers differ in whether a word brings its space."""
        words = self._agent_words.get(event.reply_id, "")
        gap = " " if words and not words[-1].isspace() and not event.delta[:1].isspace() else ""
        self._agent_words[event.reply_id] = words + gap + event.delta
        return self._agent_words[event.reply_id]
