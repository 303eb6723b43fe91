"""One session's trace on its own, on a clock that is set, with replies for it."""

from __future__ import annotations

from typing import Any

from antiphon_providers.interfaces import Spent
from antiphon_server.call.mouth import Said
from antiphon_server.call.timeline import Hearing, ReplyClock
from antiphon_server.call.tracing import CallTrace, Served
from antiphon_server.observe.spans import Span, Trace
from server.observe.kept_spans import KeptSpans

PROVIDERS = {"speech_to_text": "ears", "language_model": "brain", "text_to_speech": "voice"}
SERVED = Served(PROVIDERS, {"text_to_speech": "loud-2"})
ROOT = 77


class Stage:
    """One session's trace, on a clock that is set."""

    def __init__(self, **options: Any) -> None:
        self.seconds = 50.0
        self.kept = KeptSpans()
        trace = Trace(5, ROOT, None, **{"sampled": True, "emit": self.kept.emit, **options})
        self.trace = CallTrace(trace, "sess_1", lambda: self.seconds)
        self.trace.opened("agent_1", PROVIDERS)

    def turn(self, said: Said, *, cut: bool = False, served: Served | None = None) -> Span:
        """A reply is over; its span."""
        self.seconds = said.ended
        self.trace.turn(f"rep_{said.reply}", said, served or SERVED, cut=cut)
        return self.kept.named("turn")[-1]

    def below(self, parent: Span) -> dict[str, Span]:
        """The spans right below one."""
        return {span.name: span for span in self.kept.spans if span.parent_id == parent.span_id}


def clock(number: int = 1, at: float = 100.0, **marks: Any) -> ReplyClock:
    """A reply to speech of two seconds, with a model and a voice."""
    hearing = Hearing(at - 0.5, 0.003, paused=at - 0.4, settled=at - 0.3, judged=at - 0.2)
    usual = {
        "hearing": hearing,
        "voice_began": at - 2.5,
        "prompted": at + 0.001,
        "first_token": at + 0.2,
        "first_sentence": at + 0.3,
        "written": at + 0.9,
        "speech_asked": at + 0.301,
        "first_sound": at + 0.4,
        "sent": at + 0.402,
    }
    return ReplyClock(number, "user_speech", at, **{**usual, **marks})


def said(of: ReplyClock | None = None, **fields: Any) -> Said:
    """A reply that is over three seconds after it began."""
    of = of or clock()
    usual = {
        "reply": of.number,
        "trigger": of.trigger,
        "text": "Hello.",
        "method": "timed",
        "instructions": None,
        "started": of.started,
        "sounded": of.sent,
        "ended": of.started + 3,
        "clock": of,
        "first_audio_ms": None,
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "characters": 6,
        "spoken": Spent(0, 0),
    }
    return Said(**{**usual, **fields})
