"""What must hold of every call in the matrix, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from faults.run import Case, Outcome
from faults.scene import Turn
from faults.vendors import STAGES, Stage
from faults.weather import FAULTS, Fault

SEEDS = range(5)
ANSWER_S = 8.0
"""To speech or an apology, from the end of what the caller said."""
SILENCE_S = 15.0
"""Without speech or an event."""
FAILOVER_S = 1.5
"""From a failure that was noticed to the standby's first result."""
NEXT_TURNS = 0.95
"""Share of the turns after the one that the fault hit that are served."""
_LONGEST_WORD, _LONGEST_WORDS = 10, 22
"""Letters that may be said twice where another voice takes over: those of the word in which the
first one broke off; where that one gives no times of words, of some around it.
"""
_UNTIMED = {"deepgram", "openai"}
_FLUSH_S = 0.3
"""From the end of what the caller said to the question what it was."""
_SPOILS_SOUND: frozenset[Fault] = frozenset(
    {"garbage", "truncated utf-8", "duplicate events", "endless stream"}
)
"""Sound that is noise, or in part, or comes twice, or never ends: nobody can tell by its bytes."""


def cases(seeds: Iterable[int] = SEEDS, *, alone: bool = False) -> list[Case]:
    """All of the matrix with these seeds."""
    return [
        Case(stage, fault, seed, alone) for stage in STAGES for fault in FAULTS for seed in seeds
    ]


def wrong_with(outcome: Outcome) -> list[str]:
    """What does not hold of one call."""
    found = [f"logged: {log}" for log in outcome.logs]
    for turn in outcome.turns:
        if turn.faulty and (turn.first_s is None or turn.first_s > ANSWER_S):
            found.append(f"answered after {turn.first_s} s")
        if turn.gap_s > SILENCE_S:
            found.append(f"silent for {turn.gap_s:.1f} s")
        if outcome.case.stage == "tts" and outcome.case.fault not in _SPOILS_SOUND:
            most = _LONGEST_WORDS if outcome.case.vendor in _UNTIMED else _LONGEST_WORD
            if turn.who == "served" and not is_said_once(turn.agent, turn.spelt, most):
                found.append(f"said {turn.agent!r}, and sounded like {turn.spelt!r}")
    late = [seconds for seconds in failovers(outcome) if seconds > FAILOVER_S]
    return found + [f"another took over after {seconds:.1f} s" for seconds in late]


def is_said_once(text: str, spelt: str, most_twice: int = _LONGEST_WORD) -> bool:
    """Whether a sound says all of a text once and in order, but for so many letters where
    another voice took over.
    """
    whole, sound = text.replace(" ", ""), spelt.replace(" ", "")
    twice = len(sound) - len(whole)
    # A character that was cut has no sound of its own.
    if not -1 <= twice <= most_twice:
        return False
    return any(whole[:at] + whole[max(at - twice, 0) :] == sound for at in range(len(whole) + 1))


def failovers(outcome: Outcome) -> list[float]:
    """Seconds from each failure in a turn that was served to the standby's first result."""
    found: list[float] = []
    ends = [turn.since for turn in outcome.turns[1:]] + [float("inf")]
    for turn, end in zip(outcome.turns, ends, strict=True):
        failed = [at for at, who, _ in outcome.failures if who == "primary" and at < end]
        noticed = [at for at in failed if at >= turn.since]
        began = [at for at, who in outcome.served if who == "standby" and turn.since <= at < end]
        if noticed and began and turn.who == "served":
            asked = turn.since + (_FLUSH_S if outcome.case.stage == "stt" else 0.0)
            before = [at for at in noticed if at <= began[0]]
            if before:
                found.append(began[0] - max(before[0], asked))
    return found


def next_turn(outcome: Outcome) -> Turn:
    """The turn after the one that the fault hit first."""
    turns = outcome.turns
    if outcome.closed is not None:
        return turns[-1]
    hit = next(number for number, turn in enumerate(turns) if turn.faulty and number)
    worse = [number for number, turn in enumerate(turns) if turn.faulty and turn.who != "served"]
    return turns[(worse[0] if worse else hit) + 1]


def works(turn: Turn) -> bool:
    """Whether the caller was understood and answered."""
    return turn.who == "served" and (turn.first_s or 0.0) <= ANSWER_S and bool(turn.user)


def table(outcomes: Sequence[Outcome]) -> str:
    """One line for each stage and fault: how the faulty turns were answered."""
    lines = [f"{'stage':6}{'fault':20}{'median s':>9}{'worst s':>9}{'silence s':>10}  answered by"]
    for stage in STAGES:
        for fault in FAULTS:
            chosen = [one for one in outcomes if (one.case.stage, one.case.fault) == (stage, fault)]
            if chosen:
                lines.append(_line(stage, fault, chosen))
    return "\n".join([*lines, *_summary(outcomes)])


def _line(stage: Stage, fault: Fault, outcomes: Sequence[Outcome]) -> str:
    turns = [turn for one in outcomes for turn in one.turns if turn.faulty]
    firsts = [turn.first_s for turn in turns if turn.first_s is not None]
    who = [turn.who for turn in turns]
    counts = ", ".join(f"{kind} {who.count(kind)}" for kind in dict.fromkeys(who))
    silence = max(turn.gap_s for turn in turns)
    if not firsts:
        return f"{stage:6}{fault:20}{'-':>9}{'-':>9}{silence:10.1f}  {counts}"
    return f"{stage:6}{fault:20}{median(firsts):9.1f}{max(firsts):9.1f}{silence:10.1f}  {counts}"


def _summary(outcomes: Sequence[Outcome]) -> list[str]:
    following = [works(next_turn(one)) for one in outcomes]
    taken_over = [seconds for one in outcomes for seconds in failovers(one)]
    wrong = [f"{one.case}: {said}" for one in outcomes for said in wrong_with(one)]
    return [
        "",
        f"{len(outcomes)} calls; the next turn works in {sum(following)}",
        (
            f"another took over {len(taken_over)} times, at most "
            f"{max(taken_over, default=0.0):.2f} s after the failure was noticed"
        ),
        *wrong,
    ]
