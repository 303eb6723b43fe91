"""How patient the agent is: all the numbers the conversation depends on, in one place."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Mode = Literal["min_latency", "balanced", "max_accuracy"]


class Patience(Struct, frozen=True):
    """Milliseconds of silence after which a turn ends, by how finished it seems."""

    done: int
    """The voice sounded final and the words can end there."""
    hanging: int
    """It sounded final, but the last word promises more."""
    doubtful: int
    """It did not sound final."""
    open: int
    """Neither sounded nor reads final; no turn waits longer."""

    def milestones(self) -> tuple[int, ...]:
        """The four in time order, without repetition."""
        return tuple(sorted({self.done, self.hanging, self.doubtful, self.open}))


ADAPTIVE: dict[Mode, Patience] = {
    # The turn model is asked after 200 ms, but readers and speakers pause for up to 350 ms in
    # the middle of what it takes for finished phrases: a finished-sounding turn waits a little
    # longer, which costs the time in which the final words are worked out anyway. About one
    # second is where people expect an answer after an unfinished-sounding phrase. Hanging words
    # may only lengthen the wait.
    "min_latency": Patience(done=200, hanging=500, doubtful=600, open=800),
    "balanced": Patience(done=450, hanging=800, doubtful=900, open=950),
    "max_accuracy": Patience(done=700, hanging=1200, doubtful=1600, open=2400),
}


def fixed(min_silence: int, max_silence: int) -> Patience:
    """The windows a client sets itself: turns that sound finished end at the first, others at
    the second, whatever the words (protocol section 3.2).
    """
    return Patience(done=min_silence, hanging=min_silence, doubtful=max_silence, open=max_silence)


class Manners(Struct, frozen=True):
    """Everything ``step`` may depend on besides state and event. Times in milliseconds."""

    patience: Patience = ADAPTIVE["balanced"]
    pause_ms: int = 200
    """Silence after which ``VoiceStopped`` is noticed: where the turn model is most sure."""
    done_above: float = 0.5
    """The turn model's probability above which a turn sounds final."""
    certain_above: float = 0.9
    """The probability above which a trailing comma no longer speaks against it."""
    interruptible: bool = True
    """Whether a voice may interrupt a reply at all."""
    greeting_interruptible: bool = True
    """Whether it may interrupt the greeting."""
    refusal_interruptible: bool = True
    """Whether it may interrupt the reply that asks for what a refused tool call lacked."""
    insist_ms: int = 500
    """Voice over the agent's that counts as an interruption; an "uh-huh" is shorter."""
    proof_ms: int = 500
    """More voice after that, where the words so far are only a back-channel's."""
    words_ms: int = 3_000
    """How long final words may take."""
    utterance_ms: int = 60_000
    """The longest utterance; longer ones become several turns, so that nothing is lost."""
    first_sound_ms: int = 20_000
    """From the start of a reply to its first sound."""
    reply_ms: int = 600_000
    """The longest a reply may sound: 4,000 characters take about five minutes."""
    grace_ms: int = 2_300
    """How long a reply stays open for the results of its tool calls (protocol section 4.5)."""
    session_ms: int = 10_800_000
    """The longest session: three hours (protocol section 1.6)."""
    resume_ms: int = 30_000
    """How long the session outlives its socket (protocol section 4.11); 0: not at all."""
    tool_steps: int = 5
    """Replies in a row that only answer tool results, before the model may call no more."""
