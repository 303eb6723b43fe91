"""The one stage clock: what happened when in a turn, and what that makes of each stage.

All times are seconds of ``Services.clock``. Histograms, the client's ``turn.timeline``, the spans
of a trace and the log line of a turn read the same marks, so they cannot disagree.

A response is the sum of three kinds of time, none counted twice: waits by policy and
recognition (``endpointing``), the providers' time on the critical path (first token, first
sentence, first audio; or the first audio of a model that speaks by itself), and the rest, which
is ours (``server_overhead``).
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from antiphon_providers.interfaces import Chosen
from antiphon_server.conversation.vocabulary import Trigger
from antiphon_server.observe import metrics

ENDPOINTING = "endpointing"
VOICE_ACTIVITY = "voice_activity"
SPEECH_TO_TEXT = "speech_to_text"
TURN_DETECTION = "turn_detection"
FIRST_TOKEN = "language_model_first_token"  # noqa: S105
FIRST_SENTENCE = "language_model_first_sentence"
FIRST_AUDIO = "text_to_speech_first_audio"
SPOKEN_ANSWER = "speech_to_speech_first_audio"
OVERHEAD = "server_overhead"
RESPONSE = "response"

STAGES = {
    ENDPOINTING: "From the user's last voiced window to the decision that the turn is over.",
    VOICE_ACTIVITY: "From the arrival of the window that completed the pause to its verdict.",
    SPEECH_TO_TEXT: "From the pause to the final words, beside the endpointing wait.",
    TURN_DETECTION: "From the pause to the turn model's verdict, beside the endpointing wait.",
    FIRST_TOKEN: "From the prompt to the language model's first token.",
    FIRST_SENTENCE: "From the first token to the first piece worth speaking.",
    FIRST_AUDIO: "From the first piece of text to its first audio.",
    SPOKEN_ANSWER: "From the prompt to the first audio of a model that hears and speaks; where "
    "it has none, until the language model is asked instead.",
    OVERHEAD: "What is neither endpointing nor a provider's time: the server's own share.",
    RESPONSE: "From the end of the user's speech to the first audio sent.",
}
"""The stages of a turn, with what each measures."""


Interval = tuple[float, float]
"""When something began and ended."""


class Hearing(Struct):
    """Marks of the user's side of a turn."""

    speech_ended: float | None = None
    voice_activity: float = 0.0
    paused: float | None = None
    settled: float | None = None
    judged: float | None = None
    timer_late: float = 0.0
    """How late the timer was that ended the turn, where one did."""


class ReplyClock(Struct):
    """Marks of one reply, and those of the turn it answers."""

    number: int
    trigger: Trigger
    started: float
    hearing: Hearing | None = None
    voice_began: float | None = None
    """Of the speech that it answers."""
    conversed: float | None = None
    """When a model that hears and speaks was asked."""
    conversed_until: float | None = None
    """Its first audio, or when it had failed."""
    prompted: float | None = None
    chosen: Chosen | None = None
    """Who writes it, where several models could have."""
    first_token: float | None = None
    first_sentence: float | None = None
    written: float | None = None
    """When the language model had written all."""
    speech_asked: float | None = None
    first_sound: float | None = None
    sent: float | None = None

    def spans(self) -> dict[str, Interval]:
        """When each stage that this turn had so far began and ended; the server's own share is
        in no one place.
        """
        hearing = self.hearing or Hearing()
        spans = {
            # The lateness of the timer that ended the turn is ours, not the policy's.
            ENDPOINTING: (
                hearing.speech_ended,
                self.started - hearing.timer_late if self.hearing else None,
            ),
            SPEECH_TO_TEXT: (hearing.paused, hearing.settled),
            TURN_DETECTION: (hearing.paused, hearing.judged),
            FIRST_TOKEN: (self.prompted, self.first_token),
            FIRST_SENTENCE: (self.first_token, self.first_sentence),
            FIRST_AUDIO: (self.speech_asked, self.first_sound),
            SPOKEN_ANSWER: (self.conversed, self.conversed_until),
            RESPONSE: (
                self.started if hearing.speech_ended is None else hearing.speech_ended,
                self.sent,
            ),
        }
        if hearing.paused is not None:
            spans[VOICE_ACTIVITY] = (hearing.paused - hearing.voice_activity, hearing.paused)
        return {
            name: (begin, end)
            for name, (begin, end) in spans.items()
            if begin is not None and end is not None
        }

    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage that this turn had; asked once the first audio is sent."""
        hearing = self.hearing or Hearing()
        stages = {name: 1000 * (end - begin) for name, (begin, end) in self.spans().items()}
        stages[OVERHEAD] = 1000 * (self._between() + hearing.timer_late)
        return {name: round(stages[name], 3) for name in STAGES if name in stages}

    def _between(self) -> float:
        """The seconds in which nobody else had the work: the hand-overs."""
        begun = self.started if self.conversed is None else self.conversed_until
        handovers = (
            # What is said word for word is not asked of a model.
            (begun, self.first_sentence if self.prompted is None else self.prompted),
            (self.started, self.conversed),
            (self.first_sentence, self.speech_asked),
            (self.first_sound, self.sent),
        )
        return sum(end - begin for begin, end in handovers if begin is not None and end is not None)


class Timed(Struct, frozen=True):
    """What is known of a turn once its first audio is sent."""

    trigger: Trigger
    stages: dict[str, float]
    """Milliseconds."""
    providers: dict[str, str]
    """Who served each stage."""
    reasons: dict[str, str]
    """Why, of stages that several could have served."""


class Timeline:
    """The clock of one session."""

    def __init__(self, now: Callable[[], float], providers: dict[str, str]) -> None:
        self.now = now
        self.providers = providers
        self.hearing = Hearing()
        self.voice_began: float | None = None
        self.trace_id: str | None = None
        """Of the session's trace, where it is kept: an example of each bucket it falls into."""

    def voiced(self) -> None:
        """The user began to speak."""
        self.voice_began = self.now()

    def paused(self, speech_ended: float, voice_activity: float) -> None:
        """The voice fell silent; ``voice_activity`` seconds went by until that was known."""
        self.hearing = Hearing(speech_ended, voice_activity, paused=self.now())

    def settled(self) -> None:
        """The final words came."""
        self.hearing.settled = self.now()

    def judged(self) -> None:
        """The turn model's verdict came."""
        self.hearing.judged = self.now()

    def reply_started(self, number: int, trigger: Trigger) -> ReplyClock:
        """The clock of a new reply; one that answers speech takes the marks of the turn."""
        clock = ReplyClock(number, trigger, self.now())
        if trigger == "user_speech":
            clock.hearing, self.hearing = self.hearing, Hearing()
            clock.voice_began = self.voice_began
        return clock

    def observe(self, clock: ReplyClock) -> Timed:
        """Puts a turn's stages into the histograms, and tells them."""
        timed = self.told(clock)
        stages, providers = timed.stages, timed.providers
        example = None if self.trace_id is None else {"trace_id": self.trace_id}
        for name, ms in stages.items():
            if name == OVERHEAD:
                metrics.OVERHEAD.observe(ms / 1000, example)
            elif name == RESPONSE:
                metrics.response(clock.trigger).observe(ms / 1000, example)
            else:
                provider = provider_of(name, providers)
                metrics.stage(name, provider).observe(ms / 1000, example)
        return timed

    def told(self, clock: ReplyClock) -> Timed:
        """A turn's stages so far, and who served them."""
        chosen = clock.chosen
        providers, reasons = self.providers, {}
        if chosen is not None:
            providers = {**providers, "language_model": chosen.provider}
            reasons["language_model"] = chosen.reason
        return Timed(clock.trigger, clock.stages(), providers, reasons)


def provider_of(stage: str, providers: dict[str, str]) -> str:
    """Which provider served a stage; empty for one that is the server's own."""
    for kind, provider in providers.items():
        if stage.startswith(kind):
            return provider
    return ""
