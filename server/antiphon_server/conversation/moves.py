"""Moves that several rules share: starting and closing replies, timing a silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from antiphon_server.conversation import turn_taking
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import (
    Books,
    Contested,
    Detached,
    Doubtful,
    Listening,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Waiting,
    Wish,
)
from antiphon_server.conversation.vocabulary import (
    Command,
    DropUtterance,
    EndReply,
    Event,
    StartReply,
    StopWaiting,
    TakeTurn,
    TellSpeechStarted,
    TellSpeechStopped,
    TellWords,
    Trigger,
    Wait,
)

Step = tuple[State, tuple[Command, ...]]
Rule = Callable[[Any, Any, Manners], Step]
Rules = dict[tuple[type[State], type[Event]], Rule]

Replying = Thinking | Speaking | Contested | Doubtful | Waiting
REPLYING = (Thinking, Speaking, Contested, Doubtful, Waiting)
ALIVE = (Quiet, Listening, Pausing, *REPLYING, Detached)

# Timers, by what must happen before they run out.
UTTERANCE = "utterance"
SILENCE = "silence"
WORDS = "words"
INSIST = "insist"
FIRST_SOUND = "first_sound"
REPLY = "reply"
GRACE = "grace"
RESUME = "resume"
SESSION = "session"
TOOL = "tool:"
"""Followed by the id of the call."""


def into(rules: Rules) -> Callable[..., Callable[[Rule], Rule]]:
    """A decorator that enters a rule: ``@when(State, ..., sees=Event)``."""

    def when(*states: type[State], sees: type[Event]) -> Callable[[Rule], Rule]:
        def register(rule: Rule) -> Rule:
            for kind in states:
                rules[kind, sees] = rule
            return rule

        return register

    return when


def start(books: Books, trigger: Trigger, manners: Manners, *, apologises: bool = False) -> Step:
    """A new reply. It takes up all that is owed, and the wish if there is one.

    While a result is held for, what is owed stays so: the reply is only a word about the wait.
    """
    number = books.replies + 1
    steps = books.steps + 1 if trigger == "tool_result" else 0
    wish = books.wish or Wish()
    owed = books.owed if books.held else None
    following = replace(books, replies=number, owed=owed, wish=None, steps=steps, refused=False)
    thinking = Thinking(
        following,
        reply=number,
        trigger=trigger,
        instructions=wish.instructions,
        asks=books.refused,
        apologises=apologises,
    )
    return thinking, (
        Wait(FIRST_SOUND, manners.first_sound_ms),
        StartReply(
            number,
            trigger,
            wish.instructions,
            tools=steps < manners.tool_steps,
            apologises=apologises,
        ),
    )


def settle(books: Books, manners: Manners) -> Step:
    """The floor is free: answer what is still unanswered, or be quiet."""
    if books.wish is not None:
        return start(books, "reply_create", manners)
    if books.owed is not None and not books.held:
        return start(books, books.owed, manners)
    return Quiet(books), ()


def close(state: Replying, *, interrupted: bool) -> tuple[Command, ...]:
    """The end of a reply, with the timers that belong to it."""
    return (
        StopWaiting(FIRST_SOUND),
        StopWaiting(REPLY),
        StopWaiting(GRACE),
        StopWaiting(INSIST),
        EndReply(state.reply, interrupted),
    )


def abandon(books: Books, reply: int) -> Books:
    """The books after a reply was interrupted: nobody is sure to answer its tool calls."""
    calls = tuple(
        replace(call, abandoned=True) if call.reply == reply else call for call in books.calls
    )
    return replace(books, calls=calls)


def unheard(state: Thinking) -> Books:
    """The books after a reply was dropped that nobody heard: what it would have answered is
    owed, with its instructions, and it was no step.
    """
    if state.apologises:
        return state.books
    wish = state.books.wish
    if state.trigger == "reply_create" or state.instructions is not None:
        wish = wish or Wish(state.instructions)
    steps = max(0, state.books.steps - 1)
    refused = state.books.refused or state.asks
    return replace(state.books, owed=state.trigger, wish=wish, steps=steps, refused=refused)


def listen(books: Books, words: str, manners: Manners) -> Step:
    """The floor is the user's, for no longer than the longest utterance."""
    return Listening(books, words), (Wait(UTTERANCE, manners.utterance_ms),)


def pause(state: Pausing, manners: Manners) -> Step:
    """The silence that ends the turn is timed from here."""
    following = replace(state, waited_ms=manners.pause_ms)
    weighed, commands = weigh(following, manners)
    if isinstance(weighed, Pausing):
        return weighed, (*commands, *next_milestone(weighed, manners))
    return weighed, commands


def pause_anew(state: Pausing, manners: Manners) -> Step:
    """As ``pause``, for an utterance that had no deadline while the reply sounded."""
    following, commands = pause(state, manners)
    if isinstance(following, Pausing):
        return following, (Wait(UTTERANCE, manners.utterance_ms), *commands)
    return following, commands


def milestone(waited_ms: int, manners: Manners) -> int | None:
    """The next amount of silence that may end a turn; None once any turn has ended."""
    later = (ms for ms in manners.patience.milestones() if ms > waited_ms)
    return next(later, None)


def next_milestone(state: Pausing, manners: Manners) -> tuple[Command, ...]:
    """The wait for more silence, or, where no more is needed, for the words alone."""
    later = milestone(state.waited_ms, manners)
    if later is not None:
        return (Wait(SILENCE, later - state.waited_ms),)
    # Silence enough for any turn; only the final words can still be missing.
    return (Wait(WORDS, manners.words_ms),)


def weigh(state: Pausing, manners: Manners) -> Step:
    """Whether what is known so far is enough to end the turn."""
    if not state.settled:
        return state, ()
    patient_enough = milestone(state.waited_ms, manners) is None
    if not state.judged and not patient_enough:
        return state, ()
    needed = turn_taking.silence_needed(manners, state.words, state.verdict)
    if state.waited_ms >= needed or patient_enough:
        return conclude(state.books, state.words, manners)
    return state, ()


def conclude(books: Books, words: str, manners: Manners) -> Step:
    """The utterance is over: a turn if there are words in it, nothing otherwise."""
    silence = (StopWaiting(SILENCE), StopWaiting(WORDS), StopWaiting(UTTERANCE))
    if not turn_taking.words_of(words):
        state, commands = settle(books, manners)
        return state, (*silence, TellSpeechStopped(), DropUtterance(), *commands)
    if books.held:
        state, commands = settle(replace(books, owed="user_speech"), manners)
    else:
        state, commands = start(books, "user_speech", manners)
    return state, (*silence, TellSpeechStopped(), TakeTurn(words), *commands)


def misheard(books: Books, words: str, manners: Manners) -> Step:
    """The utterance is over, and the recogniser owes words that nobody will hear any more.

    What it said before counts; where that is nothing, and nothing else is to be said, the user
    is told so and not left in silence.
    """
    following, commands = conclude(books, words, manners)
    if books.held or not isinstance(following, Quiet):
        return following, commands
    following, more = start(following.books, "user_speech", manners, apologises=True)
    return following, (*commands, *more)


def may_interrupt(state: Thinking | Speaking, manners: Manners) -> bool:
    """Whether a voice counts during this reply."""
    if state.trigger == "greeting" and not manners.greeting_interruptible:
        return False
    if state.asks and not manners.refusal_interruptible:
        return False
    return manners.interruptible


def interrupt(state: Replying, words: str) -> tuple[Command, ...]:
    """What the client is told of an accepted interruption, in this order (section 4.8)."""
    told: tuple[Command, ...] = (TellSpeechStarted(), *close(state, interrupted=True))
    return (*told, TellWords(words)) if words else told
