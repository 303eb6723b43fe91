"""What happens in a simulated call: the caller's script, the network's and the providers' faults.

A plan is data. ``plans.plan_of`` makes one from a seed, which decides everything; what a plan
leaves open (when exactly a reply sounds) follows from the call itself, in virtual time.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Credential = Literal["key", "token", "resume_token", "other_key", "nonsense"]
How = Literal["close", "reset", "dark", "in_frame", "none"]
"""``none``: the client opens another socket although this one is well."""
Moment = Literal["greeting", "reply", "tool", "utterance", "idle", "anytime"]
Ending = Literal["end", "leave", "expire", "shutdown"]
Pace = Literal["fast", "steady", "slow", "failing"]
Stage = Literal["vad", "turn", "stt", "llm", "tts"]
ToolKind = Literal["interactive", "hold", "http"]
Which = Literal["newest", "older", "unknown"]
Role = Literal["user", "system"]
What = Literal["prompt", "tools", "volume", "patience", "same", "frozen", "shapeless"]
Kind = Literal["no_json", "unknown", "binary", "bad_audio", "second_resume", "bogus_result"]


class Act(Struct, frozen=True, tag=True):
    """Something the caller does, after the act before it."""


class Say(Act, frozen=True):
    """Speaks so many new words, then is silent; what follows may happen meanwhile."""

    words: int
    silence_ms: int = 500
    meanwhile: bool = False


class Hum(Act, frozen=True):
    """Makes one long sound, which is one word, and goes on with the next act."""

    seconds: float


class Nod(Act, frozen=True):
    """Shows that they listen, while the agent speaks if it does."""

    name: str


class Wait(Act, frozen=True):
    """Does nothing."""

    seconds: float


class BargeIn(Act, frozen=True):
    """Speaks so many words once a reply has sounded for a while."""

    after_s: float
    words: int


class AwaitCalm(Act, frozen=True):
    """Lets the agent finish, but not for ever."""

    patience_s: float


class Create(Act, frozen=True):
    """``reply.create``."""

    instructions: str | None = None


class Cancel(Act, frozen=True):
    """``reply.cancel`` of the newest reply, of the one before, or of none."""

    which: Which
    after_s: float = 0.0


class Message(Act, frozen=True):
    """``conversation.message``."""

    role: Role


class Change(Act, frozen=True):
    """A later ``session.update``; the last two are refused."""

    what: What


class Nonsense(Act, frozen=True):
    """A frame that is wrong."""

    kind: Kind


class Stall(Act, frozen=True):
    """Reads nothing for a while."""

    seconds: float


class Attempt(Struct, frozen=True):
    """A new socket, and ``session.resume`` on it."""

    after_s: float = 0.0
    """Since the one before it."""
    credential: Credential = "key"
    says_last_seq: bool = True
    cut_after_s: float | None = None
    """The new socket is lost again."""
    latency_s: float | None = None
    """None: the call's."""


class Drop(Struct, frozen=True):
    """The socket is lost, and the client comes back: one attempt, or several that race."""

    when: Moment
    after_s: float
    how: How
    away_s: float
    attempts: tuple[Attempt, ...]


class Trouble(Struct, frozen=True):
    """A provider fails from then on (``scripted.Fault.parse``)."""

    at_s: float
    stage: Stage
    fault: str


class ToolPlan(Struct, frozen=True):
    """A tool of the call."""

    name: str
    kind: ToolKind
    timeout_s: float
    noted: bool = False
    """It has ``response_instructions``."""


class Providers(Struct, frozen=True):
    """How fast the scripted providers are, in milliseconds."""

    first_token_ms: float = 200
    per_token_ms: float = 10
    first_sound_ms: float = 100
    ms_per_character: float = 25
    word_times: bool = True
    final_ms: float = 100
    judge_ms: float = 50
    verdicts: tuple[float, ...] = (0.99,)
    calls_tools: float = 0.35
    """How often the model calls a tool that it is offered."""
    talks_nonsense: float = 0.0
    """How often it answers with nothing, or calls what is not there."""
    whole_turns: bool = False
    """Whether one model hears and speaks. What befalls recogniser or language model befalls it
    then, and they stand in for it.
    """
    real_time_factor: float = 0.0
    """Of that model: the seconds that a second of its speech takes."""


class Setting(Struct, frozen=True):
    """How the session is configured."""

    greeting: bool = True
    input_text: bool = False
    output_text: bool = False
    input_encoding: str = "audio/pcm"
    output_encoding: str = "audio/pcm"
    mode: Literal["min_latency", "balanced", "max_accuracy"] = "balanced"
    turn_detection: dict[str, object] | None = None
    tools: tuple[ToolPlan, ...] = ()
    bound: bool = False
    """A stored agent; HTTP tools need one."""
    credential: Credential = "key"
    session_seconds: int = 3_600
    """Of a token; the longest session."""
    chunk_ms: int = 100
    streams: bool = False
    """The microphone sends silence too, all the time."""
    latency_s: float = 0.0
    first_frames: tuple[str, ...] = ()
    """Sent before the first update."""


class Plan(Struct, frozen=True):
    """One call."""

    seed: int
    setting: Setting = Setting()
    providers: Providers = Providers()
    script: tuple[Act, ...] = ()
    drops: tuple[Drop, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    recorder: Pace = "fast"
    journal: bool = False
    ending: Ending = "end"
    ends_after_s: float = 0.0
    """When the server stops, or a caller who does not settle hangs up, if not 0."""
    settles: bool = True
    """The caller waits for quiet before the end."""

    @property
    def cuts_words(self) -> bool:
        """Whether a word may be cut in two, by the network, a provider or its own length."""
        hears = all(trouble.stage != "stt" for trouble in self.troubles)
        longest = max((act.seconds for act in self.script if isinstance(act, Hum)), default=0.0)
        return bool(self.drops) or not hears or longest > 60

    @property
    def is_calm(self) -> bool:
        """Whether every word that is spoken must be understood, and be in the transcript."""
        hums = any(isinstance(act, Hum) for act in self.script)
        hears = not hums and not any(one.stage in ("vad", "stt", "turn") for one in self.troubles)
        stalls = any(isinstance(act, Stall) for act in self.script)
        detection = self.setting.turn_detection or {}
        listens = detection.get("interrupt_response", True) and not detection.get(
            "uninterruptible_turns"
        )
        return (
            hears
            and not stalls
            and not self.drops
            and bool(listens)
            and self.ending == "end"
            and self.settles
            and self.providers.final_ms < 2_000
        )
