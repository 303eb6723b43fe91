"""The user's side: a voice, a pause, words, a verdict; an interruption or not."""

from __future__ import annotations

from msgspec.structs import replace

from antiphon_server.conversation import turn_taking
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.moves import (
    INSIST,
    SILENCE,
    WORDS,
    Rules,
    Step,
    abandon,
    close,
    conclude,
    interrupt,
    into,
    listen,
    may_interrupt,
    misheard,
    pause,
    pause_anew,
    unheard,
    weigh,
)
from antiphon_server.conversation.states import (
    Contested,
    Doubtful,
    Listening,
    Pausing,
    Quiet,
    Speaking,
    Thinking,
    Waiting,
)
from antiphon_server.conversation.vocabulary import (
    AskIfDone,
    DropUtterance,
    HearingFailed,
    StopWaiting,
    TellSpeechStarted,
    TellWords,
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
    Wait,
    WordsHeard,
)

RULES: Rules = {}
when = into(RULES)


@when(Quiet, sees=VoiceStarted)
def _voice_in_quiet(state: Quiet, _event: VoiceStarted, manners: Manners) -> Step:
    following, commands = listen(state.books, "", manners)
    return following, (TellSpeechStarted(), *commands)


@when(Pausing, sees=VoiceStarted)
def _voice_again(state: Pausing, _event: VoiceStarted, _manners: Manners) -> Step:
    commands = (StopWaiting(SILENCE), StopWaiting(WORDS))
    return Listening(state.books, state.words), commands


@when(Listening, sees=VoiceStopped)
def _voice_stopped(state: Listening, _event: VoiceStopped, manners: Manners) -> Step:
    following, commands = pause(Pausing(state.books, state.words), manners)
    return following, (AskIfDone(), *commands)


@when(Thinking, sees=VoiceStarted)
def _voice_before_reply(state: Thinking, _event: VoiceStarted, manners: Manners) -> Step:
    """The user goes on before the answer came: it is dropped unheard, and the turn goes on.

    What it would have answered is owed, in case the voice turns out to be a cough.
    """
    if not may_interrupt(state, manners):
        return replace(state, voice=True), ()
    books = abandon(unheard(state), state.reply)
    following, commands = listen(books, "", manners)
    return following, (TellSpeechStarted(), *close(state, interrupted=True), *commands)


@when(Speaking, sees=VoiceStarted)
def _voice_over_reply(state: Speaking, _event: VoiceStarted, manners: Manners) -> Step:
    if not may_interrupt(state, manners):
        return replace(state, voice=True), ()
    contested = Contested(state.books, state.reply, state.trigger)
    return contest(contested, manners)


@when(Thinking, Speaking, sees=VoiceStopped)
def _uncounted_voice_stopped(
    state: Thinking | Speaking, _event: VoiceStopped, _manners: Manners
) -> Step:
    if not state.voice:
        return state, ()
    return replace(state, voice=False), (DropUtterance(),)


@when(Waiting, sees=VoiceStarted)
def _voice_while_waiting(state: Waiting, _event: VoiceStarted, manners: Manners) -> Step:
    following, commands = listen(state.books, "", manners)
    return following, (*close(state, interrupted=False), TellSpeechStarted(), *commands)


# --- an interruption, or not ---------------------------------------------------------------


def accept(state: Contested, manners: Manners) -> Step:
    """The interruption counts: the reply stops and the floor is the user's."""
    books = abandon(state.books, state.reply)
    following, commands = listen(books, state.words, manners)
    return following, (*interrupt(state, state.words), *commands)


def contest(state: Contested, manners: Manners) -> Step:
    """A voice over the reply: it must last, or have said more than "uh-huh" before."""
    if manners.insist_ms == 0 or not turn_taking.is_back_channel(state.words):
        return accept(state, manners)
    return state, (Wait(INSIST, manners.insist_ms),)


@when(Contested, sees=VoiceStopped)
def _contest_stopped(state: Contested, _event: VoiceStopped, manners: Manners) -> Step:
    doubtful = Doubtful(state.books, state.reply, state.trigger, state.words)
    return doubtful, (StopWaiting(INSIST), AskIfDone(), Wait(WORDS, manners.words_ms))


@when(Doubtful, sees=VoiceStarted)
def _contested_again(state: Doubtful, _event: VoiceStarted, manners: Manners) -> Step:
    """A user who speaks in short bursts is heard by the words, however slowly they come."""
    contested = Contested(state.books, state.reply, state.trigger, state.words)
    following, commands = contest(contested, manners)
    return following, (StopWaiting(WORDS), *commands)


def insisted(state: Contested, manners: Manners) -> Step:
    """The voice has lasted: enough, if its words so far are more than "uh-huh". Where there are
    no words yet it may be a noise, which must last longer to count.
    """
    if state.insisted or not turn_taking.is_back_channel(state.words):
        return accept(state, manners)
    return replace(state, insisted=True), (Wait(INSIST, manners.proof_ms),)


def decide(state: Doubtful, manners: Manners) -> Step:
    """These are all the words there will be: an interruption, or the reply goes on."""
    if not turn_taking.is_back_channel(state.words):
        return yield_floor(state, manners, settled=True)
    speaking = Speaking(state.books, state.reply, state.trigger)
    return speaking, (StopWaiting(WORDS), DropUtterance())


def yield_floor(state: Doubtful, manners: Manners, *, settled: bool = False) -> Step:
    """The reply stops for an utterance that may already be complete."""
    books = abandon(state.books, state.reply)
    pausing = Pausing(books, state.words, settled, state.judged, state.verdict)
    following, commands = pause_anew(pausing, manners)
    return following, (StopWaiting(WORDS), *interrupt(state, state.words), *commands)


# --- words and verdicts --------------------------------------------------------------------


@when(Listening, sees=WordsHeard)
def _words_while_listening(state: Listening, event: WordsHeard, _manners: Manners) -> Step:
    if event.text == state.words:
        return state, ()
    return replace(state, words=event.text), (TellWords(event.text),)


@when(Pausing, sees=WordsHeard)
def _words_in_pause(state: Pausing, event: WordsHeard, manners: Manners) -> Step:
    told = (TellWords(event.text),) if event.text != state.words else ()
    following = replace(state, words=event.text, settled=state.settled or event.settled)
    weighed, commands = weigh(following, manners)
    return weighed, (*told, *commands)


@when(Contested, sees=WordsHeard)
def _words_in_contest(state: Contested, event: WordsHeard, manners: Manners) -> Step:
    """More than a back-channel interrupts once the voice has lasted, or where it is settled:
    then it was said before the last pause, and would have interrupted there.
    """
    following = replace(state, words=event.text)
    if turn_taking.is_back_channel(event.text) or not (state.insisted or event.settled):
        return following, ()
    return accept(following, manners)


@when(Doubtful, sees=WordsHeard)
def _words_in_doubt(state: Doubtful, event: WordsHeard, manners: Manners) -> Step:
    following = replace(state, words=event.text)
    return decide(following, manners) if event.settled else (following, ())


@when(Pausing, sees=TurnJudged)
def _judged_in_pause(state: Pausing, event: TurnJudged, manners: Manners) -> Step:
    return weigh(replace(state, judged=True, verdict=event.probability), manners)


@when(Doubtful, sees=TurnJudged)
def _judged_in_doubt(state: Doubtful, event: TurnJudged, _manners: Manners) -> Step:
    return replace(state, judged=True, verdict=event.probability), ()


@when(Listening, sees=HearingFailed)
def _deaf(state: Listening, _event: HearingFailed, manners: Manners) -> Step:
    """What was understood before the recogniser broke off is all there will be; what is still
    being said is another utterance.
    """
    return conclude(state.books, state.words, manners)


@when(Pausing, sees=HearingFailed)
def _deaf_in_pause(state: Pausing, _event: HearingFailed, manners: Manners) -> Step:
    if state.settled:
        return conclude(state.books, state.words, manners)
    return misheard(state.books, state.words, manners)


@when(Contested, sees=HearingFailed)
def _deaf_in_contest(state: Contested, _event: HearingFailed, manners: Manners) -> Step:
    return accept(state, manners)


@when(Doubtful, sees=HearingFailed)
def _deaf_in_doubt(state: Doubtful, _event: HearingFailed, manners: Manners) -> Step:
    return decide(state, manners)
