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
        "following = replace(books, replies=number, owed=None, wish=None, steps=steps)",
        "following = replace(books, replies=number, wish=None, steps=steps)",
    ),
    Mutant(
        "a cough costs the answer",
        "on_voice.py",
        "books = replace(abandoned, owed=state.trigger, wish=wish, steps=steps)",
        "books = replace(abandoned, wish=wish, steps=steps)",
    ),
    Mutant(
        "the instructions of a dropped reply are lost",
        "on_voice.py",
        "books = replace(abandoned, owed=state.trigger, wish=wish, steps=steps)",
        "books = replace(abandoned, owed=state.trigger, steps=steps)",
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
)
