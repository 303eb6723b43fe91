"""The agent's side: a reply sounds, ends or fails; its tool calls and their results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.moves import (
    ALIVE,
    FIRST_SOUND,
    GRACE,
    REPLY,
    REPLYING,
    TOOL,
    WORDS,
    Replying,
    Rules,
    Step,
    close,
    into,
    listen,
    pause_anew,
    settle,
)
from antiphon_server.conversation.states import (
    Books,
    Call,
    Contested,
    Doubtful,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Waiting,
)
from antiphon_server.conversation.vocabulary import (
    Command,
    DropUtterance,
    ReleaseTranscripts,
    ReplyFailed,
    ReplyFinished,
    ReplySounded,
    ReplyTroubled,
    StopWaiting,
    TellReplyFailed,
    TellSpeechStarted,
    TellToolCall,
    TellWords,
    ToolAnswered,
    ToolRefused,
    ToolUsed,
    Trigger,
    Wait,
    WithholdTranscripts,
)

RULES: Rules = {}
when = into(RULES)


@when(Thinking, sees=ReplySounded)
def _sounded(state: Thinking, event: ReplySounded, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    speaking = Speaking(state.books, state.reply, state.trigger, voice=state.voice, asks=state.asks)
    return speaking, (StopWaiting(FIRST_SOUND), Wait(REPLY, manners.reply_ms))


def over(state: Thinking | Speaking, manners: Manners, *first: Command) -> Step:
    """A reply without rivals has ended."""
    commands = (*first, *close(state, interrupted=False))
    if state.voice:
        # Somebody was speaking all the while; from now on it counts.
        following, more = listen(state.books, "", manners)
        return following, (*commands, DropUtterance(), TellSpeechStarted(), *more)
    after, more = settle(state.books, manners)
    return after, (*commands, *more)


def _over_contested(state: Contested, manners: Manners, *first: Command) -> Step:
    """The reply ended while the user spoke over it: the floor is the user's."""
    told = (TellWords(state.words),) if state.words else ()
    following, commands = listen(state.books, state.words, manners)
    closing = close(state, interrupted=False)
    return following, (*first, *closing, TellSpeechStarted(), *told, *commands)


def _over_doubtful(state: Doubtful, manners: Manners, *first: Command) -> Step:
    """As above, but the voice has stopped: its words are still awaited."""
    told = (TellWords(state.words),) if state.words else ()
    pausing = Pausing(state.books, state.words, judged=state.judged, verdict=state.verdict)
    following, commands = pause_anew(pausing, manners)
    closing = close(state, interrupted=False)
    return following, (StopWaiting(WORDS), *first, *closing, TellSpeechStarted(), *told, *commands)


def over_waiting(state: Waiting, manners: Manners, *first: Command) -> Step:
    """The reply that was held open for its tools is closed."""
    after, commands = settle(state.books, manners)
    return after, (*first, *close(state, interrupted=False), *commands)


OVER: dict[type[State], Callable[..., Step]] = {
    Thinking: over,
    Speaking: over,
    Contested: _over_contested,
    Doubtful: _over_doubtful,
    Waiting: over_waiting,
}


@when(Thinking, Speaking, Contested, Doubtful, sees=ReplyFinished)
def _finished(
    state: Thinking | Speaking | Contested | Doubtful, event: ReplyFinished, manners: Manners
) -> Step:
    if event.reply != state.reply:
        return state, ()
    unanswered = any(call.reply == state.reply for call in state.books.calls)
    waits = unanswered and not state.books.held
    if waits and isinstance(state, Thinking | Speaking) and not state.voice:
        waiting = Waiting(state.books, state.reply)
        return waiting, (
            StopWaiting(FIRST_SOUND),
            StopWaiting(REPLY),
            Wait(GRACE, manners.grace_ms),
        )
    return OVER[type(state)](state, manners)


@when(*REPLYING, sees=ReplyFailed)
def _reply_failed(state: Replying, event: ReplyFailed, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    return OVER[type(state)](state, manners, TellReplyFailed(state.reply, event.failure))


@when(Thinking, Speaking, Contested, Doubtful, sees=ReplyTroubled)
def _troubled(
    state: Thinking | Speaking | Contested | Doubtful, event: ReplyTroubled, _manners: Manners
) -> Step:
    if event.reply != state.reply:
        return state, ()
    return state, (TellReplyFailed(state.reply, event.failure),)


# --- tools ---------------------------------------------------------------------------------


@when(Thinking, Speaking, Contested, Doubtful, sees=ToolUsed)
def _tool_used(
    state: Thinking | Speaking | Contested | Doubtful, event: ToolUsed, _manners: Manners
) -> Step:
    if event.reply != state.reply:
        return state, ()
    # A model that gives the same id again means the newer call: it has the timer and the result.
    others = tuple(call for call in state.books.calls if call.call_id != event.call_id)
    # An earlier call of this reply may have its result already: they are answered together.
    owed = None if state.books.owed == "tool_result" else state.books.owed
    call = Call(event.call_id, event.reply, hold=event.hold)
    books = replace(state.books, calls=(*others, call), owed=owed)
    return replace(state, books=books), (
        TellToolCall(event.reply, event.call_id),
        Wait(TOOL + event.call_id, event.timeout_ms),
        *_transcripts(state.books, books),
    )


def _transcripts(before: Books, after: Books) -> tuple[Command, ...]:
    """The user's words are withheld while a result is held for (protocol section 4.6)."""
    if before.held == after.held:
        return ()
    return (WithholdTranscripts(),) if after.held else (ReleaseTranscripts(),)


@when(Thinking, Speaking, Contested, Doubtful, sees=ToolRefused)
def _tool_refused(
    state: Thinking | Speaking | Contested | Doubtful, event: ToolRefused, manners: Manners
) -> Step:
    """The model has its answer already; it speaks again, together with any other results. One
    that calls where it may call nothing any more would do so for ever.
    """
    if event.reply != state.reply or state.books.steps >= manners.tool_steps:
        return state, ()
    others = any(call.reply == event.reply for call in state.books.calls)
    owed: Trigger | None = state.books.owed or (None if others else "tool_result")
    return replace(state, books=replace(state.books, owed=owed, refused=True)), ()


def answered(state: Any, call_id: str, manners: Manners, *, in_time: bool = True) -> Step:
    """A call has a result. Once all calls of one reply have theirs, an answer is owed; not
    where the result is only that an abandoned call was not answered ``in_time``.
    """
    calls: tuple[Call, ...] = state.books.calls
    answered = next((call for call in calls if call.call_id == call_id), None)
    if answered is None:
        return state, ()
    left = tuple(call for call in calls if call != answered)
    complete = all(call.reply != answered.reply for call in left)
    worth_telling = in_time or not answered.abandoned
    owed: Trigger | None = "tool_result" if complete and worth_telling else None
    books = replace(state.books, calls=left, owed=state.books.owed or owed)
    following = replace(state, books=books)
    told = (StopWaiting(TOOL + call_id), *_transcripts(state.books, books))
    if isinstance(following, Waiting) and complete and answered.reply == following.reply:
        after, commands = over_waiting(following, manners)
        return after, (*told, *commands)
    if isinstance(following, Quiet):
        after, commands = settle(books, manners)
        return after, (*told, *commands)
    return following, told


@when(*ALIVE, sees=ToolAnswered)
def _tool_answered(state: State, event: ToolAnswered, manners: Manners) -> Step:
    return answered(state, event.call_id, manners)
