"""What happens when something that had to happen did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.moves import (
    ALIVE,
    FIRST_SOUND,
    GRACE,
    INSIST,
    REPLY,
    RESUME,
    SESSION,
    SILENCE,
    TOOL,
    UTTERANCE,
    WORDS,
    Rules,
    Step,
    into,
    milestone,
    misheard,
    next_milestone,
    weigh,
)
from antiphon_server.conversation.on_drop import gave_up, words_too_late
from antiphon_server.conversation.on_reply import (
    OVER,
    answered,
    over,
    over_waiting,
)
from antiphon_server.conversation.on_voice import (
    decide,
    insisted,
)
from antiphon_server.conversation.states import (
    Contested,
    Detached,
    Doubtful,
    Listening,
    Over,
    Pausing,
    Speaking,
    State,
    Thinking,
    Waiting,
)
from antiphon_server.conversation.vocabulary import (
    AskIfDone,
    Failure,
    HangUp,
    StopWaiting,
    TellReplyFailed,
    TimeOutTool,
    Wait,
    WaitOver,
)

RULES: Rules = {}
when = into(RULES)


@when(*ALIVE, sees=WaitOver)
def _wait_over(state: State, event: WaitOver, manners: Manners) -> Step:
    if event.timer == SESSION:
        return Over(state.books), (HangUp("expired"),)
    if event.timer.startswith(TOOL):
        return _tool_timed_out(state, event.timer.removeprefix(TOOL), manners)
    rule = _DEADLINES.get((type(state), event.timer))
    return (state, ()) if rule is None else rule(state, manners)


def _tool_timed_out(state: State, call_id: str, manners: Manners) -> Step:
    if all(call.call_id != call_id for call in state.books.calls):
        return state, ()
    following, commands = answered(state, call_id, manners, in_time=False)
    return following, (TimeOutTool(call_id), *commands)


def _utterance_too_long(state: Listening, manners: Manners) -> Step:
    """Longer than any utterance: take what there is as a turn, as soon as it is settled."""
    patience_over = manners.patience.milestones()[-1]
    pausing = Pausing(state.books, state.words, judged=True, waited_ms=patience_over)
    return pausing, (
        AskIfDone(),
        Wait(WORDS, manners.words_ms),
        Wait(UTTERANCE, manners.utterance_ms),
    )


def _pause_too_long(state: Pausing, manners: Manners) -> Step:
    patience_over = manners.patience.milestones()[-1]
    weighed, commands = weigh(replace(state, waited_ms=patience_over), manners)
    if isinstance(weighed, Pausing):
        return weighed, (
            *commands,
            StopWaiting(SILENCE),
            Wait(WORDS, manners.words_ms),
            Wait(UTTERANCE, manners.utterance_ms),
        )
    return weighed, commands


def _milestone_passed(state: Pausing, manners: Manners) -> Step:
    passed = milestone(state.waited_ms, manners)
    if passed is None:
        return state, ()
    following = replace(state, waited_ms=passed)
    weighed, commands = weigh(following, manners)
    if isinstance(weighed, Pausing):
        return weighed, (*commands, *next_milestone(weighed, manners))
    return weighed, commands


def _words_too_late(state: Pausing, manners: Manners) -> Step:
    return misheard(state.books, state.words, manners)


_NO_SOUND = Failure("reply_timeout", "The reply made no sound in time")
_TOO_LONG = Failure("reply_too_long", "The reply went on for too long and was cut")


def _no_sound(state: Thinking, manners: Manners) -> Step:
    return over(state, manners, TellReplyFailed(state.reply, _NO_SOUND))


def _sounds_too_long(state: Any, manners: Manners) -> Step:
    return OVER[type(state)](state, manners, TellReplyFailed(state.reply, _TOO_LONG))


_DEADLINES: dict[tuple[type[State], str], Callable[[Any, Manners], Step]] = {
    (Listening, UTTERANCE): _utterance_too_long,
    (Pausing, UTTERANCE): _pause_too_long,
    (Pausing, SILENCE): _milestone_passed,
    (Pausing, WORDS): _words_too_late,
    (Contested, INSIST): insisted,
    (Doubtful, WORDS): decide,
    (Thinking, FIRST_SOUND): _no_sound,
    (Speaking, REPLY): _sounds_too_long,
    (Contested, REPLY): _sounds_too_long,
    (Doubtful, REPLY): _sounds_too_long,
    (Waiting, GRACE): over_waiting,
    (Detached, WORDS): words_too_late,
    (Detached, RESUME): gave_up,
}
