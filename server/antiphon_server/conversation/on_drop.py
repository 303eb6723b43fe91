"""The client's socket is gone, and perhaps the client comes back.

What was being said stops and is cut to what was heard; what was said by the user is taken to
its end, and answered once the client is back. Nothing is told twice, and no greeting is said
again. Source: voice agent protocol, section 4.11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from antiphon_server.conversation import turn_taking
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.moves import (
    RESUME,
    SILENCE,
    UTTERANCE,
    WORDS,
    Rules,
    Step,
    close,
    interrupt,
    into,
    settle,
    unheard,
)
from antiphon_server.conversation.states import (
    Books,
    Contested,
    Detached,
    Doubtful,
    Listening,
    Over,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Waiting,
)
from antiphon_server.conversation.vocabulary import (
    AskIfDone,
    ClientDropped,
    ClientReturned,
    Command,
    DropUtterance,
    HangUp,
    HearingFailed,
    StopWaiting,
    TakeTurn,
    TellSpeechStopped,
    Wait,
    WordsHeard,
)

RULES: Rules = {}
when = into(RULES)


def _detach(books: Books, manners: Manners, *first: Command) -> Step:
    """Nothing is under way any more."""
    return Detached(books), (*first, Wait(RESUME, manners.resume_ms))


def _detach_hearing(books: Books, words: str, manners: Manners, *first: Command) -> Step:
    """As above, but an utterance was cut off whose final words are awaited."""
    waits = (Wait(WORDS, manners.words_ms), Wait(RESUME, manners.resume_ms))
    return Detached(books, words, unsettled=True), (*first, *waits)


@when(
    Quiet, Listening, Pausing, Thinking, Speaking, Contested, Doubtful, Waiting,
    sees=ClientDropped,
)  # fmt: skip
def _dropped(state: State, _event: ClientDropped, manners: Manners) -> Step:
    if not manners.resume_ms:
        return Over(state.books), (HangUp("client_left"),)
    return _DROPPED[type(state)](state, manners)


def _dropped_in_quiet(state: Quiet, manners: Manners) -> Step:
    return _detach(state.books, manners)


def _dropped_while_listening(state: Listening, manners: Manners) -> Step:
    asks = (StopWaiting(UTTERANCE), AskIfDone())
    return _detach_hearing(state.books, state.words, manners, *asks)


def _dropped_in_pause(state: Pausing, manners: Manners) -> Step:
    stops = (StopWaiting(SILENCE), StopWaiting(UTTERANCE))
    following, commands = _detach_hearing(state.books, state.words, manners, *stops)
    if not state.settled or not isinstance(following, Detached):
        return following, commands
    taken, more = _take(following)
    return taken, (*commands, *more)


def _dropped_before_reply(state: Thinking, manners: Manners) -> Step:
    """Nobody heard it: what it was to answer is owed, unless it was the greeting. Where it has
    called a tool, the result is answered instead: a second try would call it twice.
    """
    voice = (DropUtterance(),) if state.voice else ()
    if any(call.reply == state.reply for call in state.books.calls):
        return _detach(state.books, manners, *close(state, interrupted=False), *voice)
    owed = unheard(state)
    books = replace(owed, owed=None) if state.trigger == "greeting" else owed
    return _detach(books, manners, *close(state, interrupted=True), *voice)


def _dropped_in_reply(state: Speaking, manners: Manners) -> Step:
    voice = (DropUtterance(),) if state.voice else ()
    return _detach(state.books, manners, *close(state, interrupted=True), *voice)


def _dropped_in_contest(state: Contested, manners: Manners) -> Step:
    if turn_taking.is_back_channel(state.words):
        closing = (*close(state, interrupted=True), DropUtterance())
        return _detach(state.books, manners, *closing)
    told = (*interrupt(state, state.words), AskIfDone())
    return _detach_hearing(state.books, state.words, manners, *told)


def _dropped_in_doubt(state: Doubtful, manners: Manners) -> Step:
    told = interrupt(state, state.words)
    return _detach_hearing(state.books, state.words, manners, *told)


def _dropped_while_waiting(state: Waiting, manners: Manners) -> Step:
    return _detach(state.books, manners, *close(state, interrupted=False))


_DROPPED: dict[type[State], Callable[[Any, Manners], Step]] = {
    Quiet: _dropped_in_quiet,
    Listening: _dropped_while_listening,
    Pausing: _dropped_in_pause,
    Thinking: _dropped_before_reply,
    Speaking: _dropped_in_reply,
    Contested: _dropped_in_contest,
    Doubtful: _dropped_in_doubt,
    Waiting: _dropped_while_waiting,
}


# --- without a client ----------------------------------------------------------------------


@when(Detached, sees=WordsHeard)
def _words_heard(state: Detached, event: WordsHeard, _manners: Manners) -> Step:
    if not state.unsettled:
        return state, ()
    following = replace(state, words=event.text)
    return _take(following) if event.settled else (following, ())


@when(Detached, sees=HearingFailed)
def _deaf(state: Detached, _event: HearingFailed, _manners: Manners) -> Step:
    return _take(state) if state.unsettled else (state, ())


def words_too_late(state: Detached, _manners: Manners) -> Step:
    """What is known of the utterance is all there will be."""
    return _take(state) if state.unsettled else (state, ())


def _take(state: Detached) -> Step:
    """The utterance that was cut off is a turn, if there are words in it."""
    done = (StopWaiting(WORDS), TellSpeechStopped())
    if not turn_taking.words_of(state.words):
        return Detached(state.books), (*done, DropUtterance())
    owed = replace(state.books, owed="user_speech")
    return Detached(owed), (*done, TakeTurn(state.words))


def gave_up(state: Detached, _manners: Manners) -> Step:
    """The client did not come back in time."""
    taken: tuple[Command, ...] = ()
    if state.unsettled:
        _, taken = _take(state)
    return Over(state.books), (*taken, HangUp("client_left"))


@when(Detached, sees=ClientReturned)
def _returned(state: Detached, _event: ClientReturned, manners: Manners) -> Step:
    """Answers what is owed. An utterance that was cut off may go on."""
    if state.unsettled:
        patience_over = manners.patience.milestones()[-1]
        pausing = Pausing(state.books, state.words, judged=True, waited_ms=patience_over)
        waits = (Wait(WORDS, manners.words_ms), Wait(UTTERANCE, manners.utterance_ms))
        return pausing, (StopWaiting(RESUME), *waits)
    following, commands = settle(state.books, manners)
    return following, (StopWaiting(RESUME), *commands)
