"""Faults put into the conversation on purpose, each of which some test must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of the text of one module: ``old`` is in it exactly once."""

    breaks: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant(
        "a sound of an old reply is taken for the current one's",
        "on_reply.py",
        "def _sounded(state: Thinking, event: ReplySounded, manners: Manners) -> Step:\n"
        "    if event.reply != state.reply:",
        "def _sounded(state: Thinking, event: ReplySounded, manners: Manners) -> Step:\n"
        "    if event.reply < 0:",
    ),
    Mutant(
        "the failure of an old reply ends the current one",
        "on_reply.py",
        "def _reply_failed(state: Replying, event: ReplyFailed, manners: Manners) -> Step:\n"
        "    if event.reply != state.reply:",
        "def _reply_failed(state: Replying, event: ReplyFailed, manners: Manners) -> Step:\n"
        "    if event.reply < 0:",
    ),
    Mutant(
        "an interrupted reply is not hushed",
        "moves.py",
        "(TellSpeechStarted(), *close(state, interrupted=True))",
        "(TellSpeechStarted(),)",
    ),
    Mutant(
        "an interruption is told as a completed reply",
        "moves.py",
        "(TellSpeechStarted(), *close(state, interrupted=True))",
        "(TellSpeechStarted(), *close(state, interrupted=False))",
    ),
    Mutant(
        "speech starts after the reply has ended",
        "moves.py",
        "(TellSpeechStarted(), *close(state, interrupted=True))",
        "(*close(state, interrupted=True), TellSpeechStarted())",
    ),
    Mutant(
        "the number of a reply is used again",
        "moves.py",
        "number = books.replies + 1",
        "number = max(1, books.replies)",
    ),
    Mutant(
        "a reply may be silent for ever",
        "moves.py",
        "        Wait(FIRST_SOUND, manners.first_sound_ms),\n",
        "",
    ),
    Mutant(
        "an utterance may last for ever",
        "moves.py",
        "return Listening(books, words), (Wait(UTTERANCE, manners.utterance_ms),)",
        "return Listening(books, words), ()",
    ),
    Mutant(
        "a reply may sound for ever",
        "on_reply.py",
        "(StopWaiting(FIRST_SOUND), Wait(REPLY, manners.reply_ms))",
        "(StopWaiting(FIRST_SOUND),)",
    ),
    Mutant(
        "a turn is taken although nothing was said",
        "moves.py",
        "if not turn_taking.words_of(words):",
        "if words is None:",
    ),
    Mutant(
        "a result is answered twice",
        "on_reply.py",
        "left = tuple(call for call in calls if call != answered)",
        "left = calls",
    ),
    Mutant(
        "what was owed is still owed after it was answered",
        "moves.py",
        "owed = books.owed if books.held else None",
        "owed = books.owed",
    ),
    Mutant(
        "a cough costs the answer",
        "moves.py",
        "return replace(state.books, owed=state.trigger, wish=wish",
        "return replace(state.books, wish=wish",
    ),
    Mutant(
        "the instructions of a dropped reply are lost",
        "moves.py",
        "return replace(state.books, owed=state.trigger, wish=wish",
        "return replace(state.books, owed=state.trigger",
    ),
    Mutant(
        "words are told of a voice that did not interrupt",
        "on_voice.py",
        "        return following, ()\n    return accept(following, manners)",
        "        return following, (TellWords(event.text),)\n    return accept(following, manners)",
    ),
    Mutant(
        "a back-channel needs no proof",
        "on_voice.py",
        "return replace(state, insisted=True), (Wait(INSIST, manners.proof_ms),)",
        "return accept(state, manners)",
    ),
    Mutant(
        "a back-channel is never an interruption, however long it lasts",
        "on_voice.py",
        "if state.insisted or not turn_taking",
        "if not turn_taking",
    ),
    Mutant(
        "a reply stays open for its tools for ever",
        "on_reply.py",
        "            Wait(GRACE, manners.grace_ms),\n",
        "",
    ),
    Mutant(
        "words that never settle are forgotten",
        "on_voice.py",
        "doubtful = Doubtful(state.books, state.reply, state.trigger, state.words)",
        "doubtful = Doubtful(state.books, state.reply, state.trigger)",
    ),
    Mutant(
        "a reply the client asked for while somebody coughed is lost",
        "moves.py",
        '    if books.wish is not None:\n        return start(books, "reply_create", manners)\n',
        "",
    ),
    Mutant(
        "a turn ends before its words are final",
        "moves.py",
        "    if not state.settled:\n        return state, ()\n",
        "",
    ),
    Mutant(
        "a protected greeting is interrupted",
        "moves.py",
        'if state.trigger == "greeting" and not manners.greeting_interruptible:',
        "if False:",
    ),
    Mutant(
        "one of two parallel results is answered alone",
        "on_reply.py",
        "complete = all(call.reply != answered.reply for call in left)",
        "complete = True",
    ),
    Mutant(
        "an early result and a late one are answered twice",
        "on_reply.py",
        'owed = None if state.books.owed == "tool_result" else state.books.owed',
        "owed = state.books.owed",
    ),
    Mutant(
        "the time-out of a tool is not its result",
        "on_time.py",
        "    following, commands = answered(state, call_id, manners, in_time=False)\n",
        "    following, commands = state, ()\n",
    ),
    Mutant(
        "an abandoned tool's silence is answered aloud",
        "on_reply.py",
        "worth_telling = in_time or not answered.abandoned",
        "worth_telling = True",
    ),
    Mutant(
        "the model may call tools in a row for ever",
        "moves.py",
        "tools=steps < manners.tool_steps",
        "tools=True",
    ),
    Mutant(
        "words in the past are told again as new",
        "heard.py",
        "known: list[TimedWord] = []\n",
        "known: list[TimedWord] = []\n        self._told = 0\n",
    ),
    Mutant(
        "all of a sentence counts as heard with its first sound",
        "heard.py",
        "if sentence.ended and played_ms > start and played_ms >= whole:",
        "if sentence.ended and played_ms > start:",
    ),
    Mutant(
        "a call without a result is not told at all",
        "memory.py",
        "for use in uses]\n",
        "for use in uses if use.call_id in self._results]\n",
    ),
    Mutant(
        "the end of a sentence depends on what came with it",
        "sentences.py",
        "seen = self._text[: longest + 1]",
        "seen = self._text",
    ),
    # --- a client that is gone, and back ---------------------------------------------------
    Mutant(
        "a client that never comes back keeps its session",
        "on_drop.py",
        "return Detached(books), (*first, Wait(RESUME, manners.resume_ms))",
        "return Detached(books), first",
    ),
    Mutant(
        "an operator who wants no session to be resumed is not obeyed",
        "on_drop.py",
        "if not manners.resume_ms:",
        "if False:",
    ),
    Mutant(
        "the greeting is said again",
        "on_drop.py",
        'books = replace(owed, owed=None) if state.trigger == "greeting" else owed',
        "books = owed",
    ),
    Mutant(
        "a reply that nobody heard is not said when the client is back",
        "on_drop.py",
        "    owed = unheard(state)\n",
        "    owed = state.books\n",
    ),
    Mutant(
        "a call is made again when the client is back",
        "on_drop.py",
        "    if any(call.reply == state.reply for call in state.books.calls):\n",
        "    if False:\n",
    ),
    Mutant(
        "the last words of an utterance that was cut off are awaited for ever",
        "on_drop.py",
        "waits = (Wait(WORDS, manners.words_ms), Wait(RESUME, manners.resume_ms))",
        "waits = (Wait(RESUME, manners.resume_ms),)",
    ),
    Mutant(
        "an utterance that was cut off is not answered",
        "on_drop.py",
        'owed = replace(state.books, owed="user_speech")',
        "owed = state.books",
    ),
    Mutant(
        "what was said last is lost with the client",
        "on_drop.py",
        "        _, taken = _take(state)\n",
        "        _take(state)\n",
    ),
    Mutant(
        "who is back may not go on speaking",
        "on_drop.py",
        "    if state.unsettled:\n        patience_over",
        "    if False:\n        patience_over",
    ),
    Mutant(
        "who is back is taken for gone later on",
        "on_drop.py",
        "return following, (StopWaiting(RESUME), *commands)",
        "return following, commands",
    ),
    Mutant(
        "a reply goes on to a client that is gone",
        "on_drop.py",
        "    return _detach(state.books, manners, *close(state, interrupted=True), *voice)\n\n\n"
        "def _dropped_in_contest",
        "    return _detach(state.books, manners, *voice)\n\n\ndef _dropped_in_contest",
    ),
    # --- a result that is held for ---------------------------------------------------------
    Mutant(
        "what is owed does not wait for a held result",
        "moves.py",
        "if books.owed is not None and not books.held:",
        "if books.owed is not None:",
    ),
    Mutant(
        "a turn during a hold is answered at once",
        "moves.py",
        "    if books.held:\n",
        "    if False:\n",
    ),
    Mutant(
        "a word about the wait is taken for the answer",
        "moves.py",
        "owed = books.owed if books.held else None",
        "owed = None",
    ),
    Mutant(
        "words are told during a hold",
        "on_reply.py",
        "return (WithholdTranscripts(),) if after.held else (ReleaseTranscripts(),)",
        "return () if after.held else (ReleaseTranscripts(),)",
    ),
    Mutant(
        "words that were withheld are never told",
        "on_reply.py",
        "told = (StopWaiting(TOOL + call_id), *_transcripts(state.books, books))",
        "told = (StopWaiting(TOOL + call_id),)",
    ),
    Mutant(
        "the reply that made a held call stays open",
        "on_reply.py",
        "waits = unanswered and not state.books.held",
        "waits = unanswered",
    ),
    # --- a call that was refused -----------------------------------------------------------
    Mutant(
        "a refusal is followed by silence",
        "on_reply.py",
        'owed: Trigger | None = state.books.owed or (None if others else "tool_result")',
        "owed: Trigger | None = state.books.owed",
    ),
    Mutant(
        "a refusal is answered before the results of other calls",
        "on_reply.py",
        'owed: Trigger | None = state.books.owed or (None if others else "tool_result")',
        'owed: Trigger | None = state.books.owed or "tool_result"',
    ),
    Mutant(
        "a refusal in an old reply is one of the current one",
        "on_reply.py",
        "if event.reply != state.reply or state.books.steps >= manners.tool_steps:",
        "if state.books.steps >= manners.tool_steps:",
    ),
    Mutant(
        "a model that only makes calls that are refused is asked for ever",
        "on_reply.py",
        "if event.reply != state.reply or state.books.steps >= manners.tool_steps:",
        "if event.reply != state.reply:",
    ),
    Mutant(
        "a protected question is interrupted",
        "moves.py",
        "if state.asks and not manners.refusal_interruptible:",
        "if False:",
    ),
    Mutant(
        "every reply after a refusal is a question",
        "moves.py",
        "steps=steps, refused=False)",
        "steps=steps)",
    ),
    Mutant(
        "a question that nobody heard is no longer one",
        "moves.py",
        "refused = state.books.refused or state.asks",
        "refused = state.books.refused",
    ),
)
