"""``step``: the one owner of turn-taking.

Total: every event is legal in every state; one that means nothing there changes nothing.
Deterministic: state, event and manners decide alone. Whatever carries the number of a reply
that is not the current one is stale and is ignored here, and nowhere else.

Source: voice agent protocol, section 4; the order of what the client is told is that of 4.12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from antiphon_server.conversation import turn_taking
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import (
    Books,
    Call,
    Contested,
    Doubtful,
    Listening,
    Over,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Waiting,
    Wish,
)
from antiphon_server.conversation.vocabulary import (
    AskIfDone,
    ClientLeft,
    Command,
    DropUtterance,
    EndReply,
    EndRequested,
    Event,
    Failure,
    HangUp,
    HearingFailed,
    ReplyCancelled,
    ReplyFailed,
    ReplyFinished,
    ReplyRequested,
    ReplySounded,
    SessionFailed,
    SessionOpened,
    StartReply,
    StopWaiting,
    TakeTurn,
    TellReplyFailed,
    TellSpeechStarted,
    TellSpeechStopped,
    TellToolCall,
    TellWords,
    TimeOutTool,
    ToolAnswered,
    ToolUsed,
    Trigger,
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
    Wait,
    WaitOver,
    WordsHeard,
)

Step = tuple[State, tuple[Command, ...]]
Rule = Callable[[Any, Any, Manners], Step]

Replying = Thinking | Speaking | Contested | Doubtful | Waiting

# Timers, by what must happen before they run out.
UTTERANCE = "utterance"
SILENCE = "silence"
WORDS = "words"
INSIST = "insist"
FIRST_SOUND = "first_sound"
REPLY = "reply"
GRACE = "grace"
SESSION = "session"
_TOOL = "tool:"

_RULES: dict[tuple[type[State], type[Event]], Rule] = {}


def step(state: State, event: Event, manners: Manners) -> Step:
    """The state after the event, and what to do, in order."""
    rule = _RULES.get((type(state), type(event)))
    return (state, ()) if rule is None else rule(state, event, manners)


def begin(manners: Manners) -> Step:
    """The state of a call that has just been accepted, and what to do."""
    return Quiet(), (Wait(SESSION, manners.session_ms),)


def _when(*states: type[State], sees: type[Event]) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for kind in states:
            _RULES[kind, sees] = rule
        return rule

    return register


_REPLYING = (Thinking, Speaking, Contested, Doubtful, Waiting)
_ALIVE = (Quiet, Listening, Pausing, *_REPLYING)

# --- steps that several rules share ------------------------------------------------------


def _start(books: Books, trigger: Trigger, manners: Manners) -> Step:
    """A new reply. It takes up all that is owed, and the wish if there is one."""
    number = books.replies + 1
    steps = books.steps + 1 if trigger == "tool_result" else 0
    wish = books.wish or Wish()
    following = replace(books, replies=number, owed=None, wish=None, steps=steps)
    thinking = Thinking(following, reply=number, trigger=trigger, instructions=wish.instructions)
    return thinking, (
        Wait(FIRST_SOUND, manners.first_sound_ms),
        StartReply(number, trigger, wish.instructions, tools=steps < manners.tool_steps),
    )


def _settle(books: Books, manners: Manners) -> Step:
    """The floor is free: answer what is still unanswered, or be quiet."""
    if books.wish is not None:
        return _start(books, "reply_create", manners)
    if books.owed is not None:
        return _start(books, books.owed, manners)
    return Quiet(books), ()


def _close(state: Replying, *, interrupted: bool) -> tuple[Command, ...]:
    """The end of a reply, with the timers that belong to it."""
    return (
        StopWaiting(FIRST_SOUND),
        StopWaiting(REPLY),
        StopWaiting(GRACE),
        StopWaiting(INSIST),
        EndReply(state.reply, interrupted),
    )


def _listen(books: Books, words: str, manners: Manners) -> Step:
    return Listening(books, words), (Wait(UTTERANCE, manners.utterance_ms),)


def _pause(state: Pausing, manners: Manners) -> Step:
    """The silence that ends the turn is timed from here."""
    following = replace(state, waited_ms=manners.pause_ms)
    weighed, commands = _weigh(following, manners)
    if isinstance(weighed, Pausing):
        return weighed, (*commands, *_next_milestone(weighed, manners))
    return weighed, commands


def _pause_anew(state: Pausing, manners: Manners) -> Step:
    """As ``_pause``, for an utterance that had no deadline while the reply sounded."""
    following, commands = _pause(state, manners)
    if isinstance(following, Pausing):
        return following, (Wait(UTTERANCE, manners.utterance_ms), *commands)
    return following, commands


def _milestone(waited_ms: int, manners: Manners) -> int | None:
    later = (ms for ms in manners.patience.milestones() if ms > waited_ms)
    return next(later, None)


def _next_milestone(state: Pausing, manners: Manners) -> tuple[Command, ...]:
    milestone = _milestone(state.waited_ms, manners)
    if milestone is not None:
        return (Wait(SILENCE, milestone - state.waited_ms),)
    # Silence enough for any turn; only the final words can still be missing.
    return (Wait(WORDS, manners.words_ms),)


def _weigh(state: Pausing, manners: Manners) -> Step:
    """Whether what is known so far is enough to end the turn."""
    if not state.settled:
        return state, ()
    patient_enough = _milestone(state.waited_ms, manners) is None
    if not state.judged and not patient_enough:
        return state, ()
    needed = turn_taking.silence_needed(manners, state.words, state.verdict)
    if state.waited_ms >= needed or patient_enough:
        return _conclude(state.books, state.words, manners)
    return state, ()


def _conclude(books: Books, words: str, manners: Manners) -> Step:
    """The utterance is over: a turn if there are words in it, nothing otherwise."""
    silence = (StopWaiting(SILENCE), StopWaiting(WORDS), StopWaiting(UTTERANCE))
    if not turn_taking.words_of(words):
        state, commands = _settle(books, manners)
        return state, (*silence, TellSpeechStopped(), DropUtterance(), *commands)
    state, commands = _start(books, "user_speech", manners)
    return state, (*silence, TellSpeechStopped(), TakeTurn(words), *commands)


def _may_interrupt(state: Thinking | Speaking, manners: Manners) -> bool:
    if state.trigger == "greeting" and not manners.greeting_interruptible:
        return False
    return manners.interruptible


def _interrupt(state: Replying, words: str) -> tuple[Command, ...]:
    """What the client is told of an accepted interruption, in this order (section 4.8)."""
    told: tuple[Command, ...] = (TellSpeechStarted(), *_close(state, interrupted=True))
    return (*told, TellWords(words)) if words else told


# --- opening and ending ------------------------------------------------------------------


@_when(Quiet, sees=SessionOpened)
def _opened(state: Quiet, event: SessionOpened, manners: Manners) -> Step:
    return _start(state.books, "greeting", manners) if event.greets else (state, ())


@_when(*_ALIVE, sees=EndRequested)
def _ended(state: State, _event: EndRequested, _manners: Manners) -> Step:
    return Over(state.books), (HangUp("client_ended"),)


@_when(*_ALIVE, sees=ClientLeft)
def _left(state: State, _event: ClientLeft, _manners: Manners) -> Step:
    return Over(state.books), (HangUp("client_left"),)


@_when(*_ALIVE, sees=SessionFailed)
def _failed(state: State, _event: SessionFailed, _manners: Manners) -> Step:
    return Over(state.books), (HangUp("failed"),)


# --- the user's voice --------------------------------------------------------------------


@_when(Quiet, sees=VoiceStarted)
def _voice_in_quiet(state: Quiet, _event: VoiceStarted, manners: Manners) -> Step:
    following, commands = _listen(state.books, "", manners)
    return following, (TellSpeechStarted(), *commands)


@_when(Pausing, sees=VoiceStarted)
def _voice_again(state: Pausing, _event: VoiceStarted, _manners: Manners) -> Step:
    commands = (StopWaiting(SILENCE), StopWaiting(WORDS))
    return Listening(state.books, state.words), commands


@_when(Listening, sees=VoiceStopped)
def _voice_stopped(state: Listening, _event: VoiceStopped, manners: Manners) -> Step:
    following, commands = _pause(Pausing(state.books, state.words), manners)
    return following, (AskIfDone(), *commands)


@_when(Thinking, sees=VoiceStarted)
def _voice_before_reply(state: Thinking, _event: VoiceStarted, manners: Manners) -> Step:
    """The user goes on before the answer came: it is dropped unheard, and the turn goes on.

    What it would have answered is owed, in case the voice turns out to be a cough.
    """
    if not _may_interrupt(state, manners):
        return replace(state, voice=True), ()
    wish = state.books.wish
    if state.trigger == "reply_create" or state.instructions is not None:
        wish = wish or Wish(state.instructions)
    books = replace(state.books, owed=state.trigger, wish=wish)
    following, commands = _listen(books, "", manners)
    return following, (TellSpeechStarted(), *_close(state, interrupted=True), *commands)


@_when(Speaking, sees=VoiceStarted)
def _voice_over_reply(state: Speaking, _event: VoiceStarted, manners: Manners) -> Step:
    if not _may_interrupt(state, manners):
        return replace(state, voice=True), ()
    contested = Contested(state.books, state.reply, state.trigger)
    if manners.insist_ms == 0:
        return _accept(contested, manners)
    return contested, (Wait(INSIST, manners.insist_ms),)


@_when(Thinking, Speaking, sees=VoiceStopped)
def _uncounted_voice_stopped(
    state: Thinking | Speaking, _event: VoiceStopped, _manners: Manners
) -> Step:
    if not state.voice:
        return state, ()
    return replace(state, voice=False), (DropUtterance(),)


@_when(Waiting, sees=VoiceStarted)
def _voice_while_waiting(state: Waiting, _event: VoiceStarted, manners: Manners) -> Step:
    following, commands = _listen(state.books, "", manners)
    return following, (*_close(state, interrupted=False), TellSpeechStarted(), *commands)


# --- an interruption, or not -------------------------------------------------------------


def _accept(state: Contested, manners: Manners) -> Step:
    following, commands = _listen(state.books, state.words, manners)
    return following, (*_interrupt(state, state.words), *commands)


def _weigh_interruption(state: Contested, manners: Manners) -> Step:
    if state.insisted and not turn_taking.is_back_channel(state.words):
        return _accept(state, manners)
    return state, ()


@_when(Contested, sees=VoiceStopped)
def _contest_stopped(state: Contested, _event: VoiceStopped, manners: Manners) -> Step:
    doubtful = Doubtful(state.books, state.reply, state.trigger)
    return doubtful, (StopWaiting(INSIST), AskIfDone(), Wait(WORDS, manners.words_ms))


@_when(Doubtful, sees=VoiceStarted)
def _contested_again(state: Doubtful, _event: VoiceStarted, manners: Manners) -> Step:
    contested = Contested(state.books, state.reply, state.trigger)
    return contested, (StopWaiting(WORDS), Wait(INSIST, manners.insist_ms))


def _insisted(state: Contested, manners: Manners) -> Step:
    """The voice has lasted: enough, unless its words so far only show that it listens."""
    if state.insisted or not state.words or not turn_taking.is_back_channel(state.words):
        return _accept(state, manners)
    return replace(state, insisted=True), (Wait(INSIST, manners.proof_ms),)


def _let_speak(state: Doubtful) -> Step:
    """The reply was not interrupted and goes on."""
    speaking = Speaking(state.books, state.reply, state.trigger)
    return speaking, (StopWaiting(WORDS), DropUtterance())


# --- words and verdicts ------------------------------------------------------------------


@_when(Listening, sees=WordsHeard)
def _words_while_listening(state: Listening, event: WordsHeard, _manners: Manners) -> Step:
    if event.text == state.words:
        return state, ()
    return replace(state, words=event.text), (TellWords(event.text),)


@_when(Pausing, sees=WordsHeard)
def _words_in_pause(state: Pausing, event: WordsHeard, manners: Manners) -> Step:
    told = (TellWords(event.text),) if event.text != state.words else ()
    following = replace(state, words=event.text, settled=state.settled or event.settled)
    weighed, commands = _weigh(following, manners)
    return weighed, (*told, *commands)


@_when(Contested, sees=WordsHeard)
def _words_in_contest(state: Contested, event: WordsHeard, manners: Manners) -> Step:
    return _weigh_interruption(replace(state, words=event.text), manners)


@_when(Doubtful, sees=WordsHeard)
def _words_in_doubt(state: Doubtful, event: WordsHeard, manners: Manners) -> Step:
    if not event.settled:
        return state, ()
    if turn_taking.is_back_channel(event.text):
        return _let_speak(state)
    pausing = Pausing(
        state.books, event.text, settled=True, judged=state.judged, verdict=state.verdict
    )
    following, commands = _pause_anew(pausing, manners)
    return following, (StopWaiting(WORDS), *_interrupt(state, event.text), *commands)


@_when(Pausing, sees=TurnJudged)
def _judged_in_pause(state: Pausing, event: TurnJudged, manners: Manners) -> Step:
    return _weigh(replace(state, judged=True, verdict=event.probability), manners)


@_when(Doubtful, sees=TurnJudged)
def _judged_in_doubt(state: Doubtful, event: TurnJudged, _manners: Manners) -> Step:
    return replace(state, judged=True, verdict=event.probability), ()


@_when(Listening, Pausing, sees=HearingFailed)
def _deaf(state: Listening | Pausing, _event: HearingFailed, manners: Manners) -> Step:
    """What was understood before the recogniser broke off is all there will be."""
    return _conclude(state.books, state.words, manners)


@_when(Contested, sees=HearingFailed)
def _deaf_in_contest(state: Contested, _event: HearingFailed, manners: Manners) -> Step:
    return _accept(state, manners)


@_when(Doubtful, sees=HearingFailed)
def _deaf_in_doubt(state: Doubtful, _event: HearingFailed, _manners: Manners) -> Step:
    return _let_speak(state)


# --- the reply ---------------------------------------------------------------------------


@_when(Thinking, sees=ReplySounded)
def _sounded(state: Thinking, event: ReplySounded, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    speaking = Speaking(state.books, state.reply, state.trigger, voice=state.voice)
    return speaking, (StopWaiting(FIRST_SOUND), Wait(REPLY, manners.reply_ms))


def _over(state: Thinking | Speaking, manners: Manners, *first: Command) -> Step:
    """A reply without rivals has ended."""
    commands = (*first, *_close(state, interrupted=False))
    if state.voice:
        # Somebody was speaking all the while; from now on it counts.
        following, more = _listen(state.books, "", manners)
        return following, (*commands, DropUtterance(), TellSpeechStarted(), *more)
    after, more = _settle(state.books, manners)
    return after, (*commands, *more)


def _over_contested(state: Contested, manners: Manners, *first: Command) -> Step:
    """The reply ended while the user spoke over it: the floor is the user's."""
    told = (TellWords(state.words),) if state.words else ()
    following, commands = _listen(state.books, state.words, manners)
    closing = _close(state, interrupted=False)
    return following, (*first, *closing, TellSpeechStarted(), *told, *commands)


def _over_doubtful(state: Doubtful, manners: Manners, *first: Command) -> Step:
    """As above, but the voice has stopped: its words are still awaited."""
    pausing = Pausing(state.books, judged=state.judged, verdict=state.verdict)
    following, commands = _pause_anew(pausing, manners)
    closing = _close(state, interrupted=False)
    return following, (StopWaiting(WORDS), *first, *closing, TellSpeechStarted(), *commands)


def _over_waiting(state: Waiting, manners: Manners, *first: Command) -> Step:
    after, commands = _settle(state.books, manners)
    return after, (*first, *_close(state, interrupted=False), *commands)


_OVER: dict[type[State], Callable[..., Step]] = {
    Thinking: _over,
    Speaking: _over,
    Contested: _over_contested,
    Doubtful: _over_doubtful,
    Waiting: _over_waiting,
}


@_when(Thinking, Speaking, Contested, Doubtful, sees=ReplyFinished)
def _finished(
    state: Thinking | Speaking | Contested | Doubtful, event: ReplyFinished, manners: Manners
) -> Step:
    if event.reply != state.reply:
        return state, ()
    unanswered = any(call.reply == state.reply for call in state.books.calls)
    if unanswered and isinstance(state, Thinking | Speaking) and not state.voice:
        waiting = Waiting(state.books, state.reply)
        return waiting, (
            StopWaiting(FIRST_SOUND),
            StopWaiting(REPLY),
            Wait(GRACE, manners.grace_ms),
        )
    return _OVER[type(state)](state, manners)


@_when(*_REPLYING, sees=ReplyFailed)
def _reply_failed(state: Replying, event: ReplyFailed, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    return _OVER[type(state)](state, manners, TellReplyFailed(state.reply, event.failure))


# --- what the client asks for ------------------------------------------------------------


@_when(Quiet, sees=ReplyRequested)
def _requested(state: Quiet, event: ReplyRequested, manners: Manners) -> Step:
    books = replace(state.books, wish=Wish(event.instructions))
    return _start(books, "reply_create", manners)


@_when(Listening, Pausing, sees=ReplyRequested)
def _requested_while_listening(
    state: Listening | Pausing, event: ReplyRequested, _manners: Manners
) -> Step:
    """The user has the floor; the reply to the turn carries the instructions."""
    return replace(state, books=replace(state.books, wish=Wish(event.instructions))), ()


@_when(Thinking, Speaking, sees=ReplyRequested)
def _requested_instead(state: Thinking | Speaking, event: ReplyRequested, manners: Manners) -> Step:
    """Replaces the reply (protocol section 9, row 9)."""
    books = replace(state.books, wish=Wish(event.instructions))
    following, commands = _start(books, "reply_create", manners)
    return replace(following, voice=state.voice), (*_close(state, interrupted=True), *commands)


@_when(Waiting, sees=ReplyRequested)
def _requested_while_waiting(state: Waiting, event: ReplyRequested, manners: Manners) -> Step:
    books = replace(state.books, wish=Wish(event.instructions))
    following, commands = _start(books, "reply_create", manners)
    return following, (*_close(state, interrupted=False), *commands)


@_when(Contested, sees=ReplyRequested)
def _requested_in_contest(state: Contested, event: ReplyRequested, manners: Manners) -> Step:
    """The old reply goes, the user is heard out, the new reply answers both."""
    books = replace(state.books, wish=Wish(event.instructions))
    return _accept(replace(state, books=books), manners)


@_when(Doubtful, sees=ReplyRequested)
def _requested_in_doubt(state: Doubtful, event: ReplyRequested, manners: Manners) -> Step:
    books = replace(state.books, wish=Wish(event.instructions))
    pausing = Pausing(books, judged=state.judged, verdict=state.verdict)
    following, commands = _pause_anew(pausing, manners)
    return following, (StopWaiting(WORDS), *_interrupt(state, ""), *commands)


@_when(Thinking, Speaking, sees=ReplyCancelled)
def _cancelled(state: Thinking | Speaking, event: ReplyCancelled, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    closing = _close(state, interrupted=True)
    if state.voice:
        following, commands = _listen(state.books, "", manners)
        return following, (*closing, DropUtterance(), TellSpeechStarted(), *commands)
    after, commands = _settle(state.books, manners)
    return after, (*closing, *commands)


@_when(Contested, sees=ReplyCancelled)
def _cancelled_in_contest(state: Contested, event: ReplyCancelled, manners: Manners) -> Step:
    return _accept(state, manners) if event.reply == state.reply else (state, ())


@_when(Doubtful, sees=ReplyCancelled)
def _cancelled_in_doubt(state: Doubtful, event: ReplyCancelled, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    pausing = Pausing(state.books, judged=state.judged, verdict=state.verdict)
    following, commands = _pause_anew(pausing, manners)
    return following, (StopWaiting(WORDS), *_interrupt(state, ""), *commands)


@_when(Waiting, sees=ReplyCancelled)
def _cancelled_while_waiting(state: Waiting, event: ReplyCancelled, manners: Manners) -> Step:
    return _over_waiting(state, manners) if event.reply == state.reply else (state, ())


# --- tools -------------------------------------------------------------------------------


@_when(Thinking, Speaking, Contested, Doubtful, sees=ToolUsed)
def _tool_used(
    state: Thinking | Speaking | Contested | Doubtful, event: ToolUsed, _manners: Manners
) -> Step:
    if event.reply != state.reply:
        return state, ()
    call = Call(event.call_id, event.reply)
    books = replace(state.books, calls=(*state.books.calls, call))
    return replace(state, books=books), (
        TellToolCall(event.reply, event.call_id),
        Wait(_TOOL + event.call_id, event.timeout_ms),
    )


def _answered(state: Any, call_id: str, manners: Manners) -> Step:
    """A call has a result. Once all calls of one reply have theirs, an answer is owed."""
    calls: tuple[Call, ...] = state.books.calls
    answered = next((call for call in calls if call.call_id == call_id), None)
    if answered is None:
        return state, ()
    left = tuple(call for call in calls if call != answered)
    complete = all(call.reply != answered.reply for call in left)
    owed: Trigger | None = "tool_result" if complete else None
    books = replace(state.books, calls=left, owed=state.books.owed or owed)
    following = replace(state, books=books)
    stop = StopWaiting(_TOOL + call_id)
    if isinstance(following, Waiting) and complete and answered.reply == following.reply:
        after, commands = _over_waiting(following, manners)
        return after, (stop, *commands)
    if isinstance(following, Quiet):
        after, commands = _settle(books, manners)
        return after, (stop, *commands)
    return following, (stop,)


@_when(*_ALIVE, sees=ToolAnswered)
def _tool_answered(state: State, event: ToolAnswered, manners: Manners) -> Step:
    return _answered(state, event.call_id, manners)


# --- time --------------------------------------------------------------------------------


@_when(*_ALIVE, sees=WaitOver)
def _wait_over(state: State, event: WaitOver, manners: Manners) -> Step:
    if event.timer == SESSION:
        return Over(state.books), (HangUp("expired"),)
    if event.timer.startswith(_TOOL):
        return _tool_timed_out(state, event.timer.removeprefix(_TOOL), manners)
    rule = _DEADLINES.get((type(state), event.timer))
    return (state, ()) if rule is None else rule(state, manners)


def _tool_timed_out(state: State, call_id: str, manners: Manners) -> Step:
    if all(call.call_id != call_id for call in state.books.calls):
        return state, ()
    following, commands = _answered(state, call_id, manners)
    return following, (TimeOutTool(call_id), *commands)


def _utterance_too_long(state: Listening, manners: Manners) -> Step:
    """Longer than any utterance: take what there is as a turn, as soon as it is settled."""
    patience_over = manners.patience.milestones()[-1]
    pausing = Pausing(state.books, state.words, judged=True, waited_ms=patience_over)
    return pausing, (AskIfDone(), Wait(WORDS, manners.words_ms))


def _pause_too_long(state: Pausing, manners: Manners) -> Step:
    patience_over = manners.patience.milestones()[-1]
    weighed, commands = _weigh(replace(state, waited_ms=patience_over), manners)
    if isinstance(weighed, Pausing):
        return weighed, (*commands, StopWaiting(SILENCE), Wait(WORDS, manners.words_ms))
    return weighed, commands


def _milestone_passed(state: Pausing, manners: Manners) -> Step:
    passed = _milestone(state.waited_ms, manners)
    if passed is None:
        return state, ()
    following = replace(state, waited_ms=passed)
    weighed, commands = _weigh(following, manners)
    if isinstance(weighed, Pausing):
        return weighed, (*commands, *_next_milestone(weighed, manners))
    return weighed, commands


def _words_too_late(state: Pausing, manners: Manners) -> Step:
    return _conclude(state.books, state.words, manners)


_NO_SOUND = Failure("reply_timeout", "The reply made no sound in time")
_TOO_LONG = Failure("reply_too_long", "The reply went on for too long and was cut")


def _no_sound(state: Thinking, manners: Manners) -> Step:
    return _over(state, manners, TellReplyFailed(state.reply, _NO_SOUND))


def _sounds_too_long(state: Any, manners: Manners) -> Step:
    return _OVER[type(state)](state, manners, TellReplyFailed(state.reply, _TOO_LONG))


_DEADLINES: dict[tuple[type[State], str], Callable[[Any, Manners], Step]] = {
    (Listening, UTTERANCE): _utterance_too_long,
    (Pausing, UTTERANCE): _pause_too_long,
    (Pausing, SILENCE): _milestone_passed,
    (Pausing, WORDS): _words_too_late,
    (Contested, INSIST): _insisted,
    (Doubtful, WORDS): lambda state, _manners: _let_speak(state),
    (Thinking, FIRST_SOUND): _no_sound,
    (Speaking, REPLY): _sounds_too_long,
    (Contested, REPLY): _sounds_too_long,
    (Doubtful, REPLY): _sounds_too_long,
    (Waiting, GRACE): _over_waiting,
}
