"""Arbitrary histories of a conversation, and what must be true of every one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from antiphon_server.conversation import machine, moves
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import ADAPTIVE, Manners, fixed
from antiphon_server.conversation.states import (
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

MANNERS = (
    Manners(),
    Manners(insist_ms=0),
    Manners(interruptible=False),
    Manners(greeting_interruptible=False, tool_steps=2),
    Manners(patience=fixed(1000, 3000)),
    Manners(patience=ADAPTIVE["max_accuracy"], pause_ms=500),
    Manners(refusal_interruptible=False),
    Manners(resume_ms=0),
)
WORDS = ("", "uh-huh", "yes", "tell me more", "and then the", "stop", "what time is it?")
CALLS = ("a", "b", "c")

DEADLINES: dict[type[State], tuple[frozenset[str], ...]] = {
    Quiet: (),
    Listening: (frozenset({moves.UTTERANCE}),),
    Pausing: (frozenset({moves.SILENCE, moves.WORDS}),),
    Thinking: (frozenset({moves.FIRST_SOUND}),),
    Speaking: (frozenset({moves.REPLY}),),
    Contested: (frozenset({moves.INSIST}), frozenset({moves.REPLY})),
    Doubtful: (frozenset({moves.WORDS}), frozenset({moves.REPLY})),
    Waiting: (frozenset({moves.GRACE}),),
    Detached: (frozenset({moves.RESUME}),),
}
"""For each state groups of timers, of each of which one must be running."""

ALLOWED: dict[type[State], frozenset[str]] = {
    Quiet: frozenset(),
    Listening: frozenset({moves.UTTERANCE}),
    Pausing: frozenset({moves.SILENCE, moves.WORDS, moves.UTTERANCE}),
    Thinking: frozenset({moves.FIRST_SOUND}),
    Speaking: frozenset({moves.REPLY}),
    Contested: frozenset({moves.INSIST, moves.REPLY}),
    Doubtful: frozenset({moves.WORDS, moves.REPLY}),
    Waiting: frozenset({moves.GRACE}),
    Detached: frozenset({moves.RESUME, moves.WORDS}),
}
"""The timers, besides the session's and the tools', that may run in each state."""


class Chronicle:
    """Plays events to the machine and checks every invariant after every step."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.running: set[str] = set()
        self.open_reply: int | None = None
        self.replies = 0
        self.ended: list[tuple[int, bool]] = []
        self.turns: list[str] = []
        self.speech_told = False
        self.hung_up = False
        self.withheld = False
        self.told_calls: set[str] = set()
        self.unanswered = False
        self.state, first = machine.begin(manners)
        self._perform(first)

    def notice(self, event: v.Event) -> tuple[v.Command, ...]:
        """One step, checked."""
        before = self.state
        if isinstance(event, v.WaitOver):
            self.running.discard(event.timer)
        if isinstance(event, v.ReplySounded | v.ReplyCancelled) and event.reply == self.open_reply:
            self.unanswered = False
        self.state, commands = machine.step(before, event, self.manners)
        again = machine.step(before, event, self.manners)
        assert again == (self.state, commands), "a step depends on state, event, manners alone"
        if self.hung_up:
            assert commands == (), "nothing follows the end"
        self._perform(commands)
        self._check_state()
        return commands

    def _perform(self, commands: tuple[v.Command, ...]) -> None:
        for index, command in enumerate(commands):
            assert not self.hung_up, "nothing follows the end"
            following = commands[index + 1] if index + 1 < len(commands) else None
            self._check(command, following)

    def _check(self, command: v.Command, following: v.Command | None) -> None:  # noqa: C901, PLR0912
        match command:
            case v.Wait():
                assert command.ms > 0
                self.running.add(command.timer)
            case v.StopWaiting():
                self.running.discard(command.timer)
            case v.StartReply():
                assert self.open_reply is None, "at most one reply at a time"
                assert command.reply == self.replies + 1, "reply numbers only grow, by one"
                self.open_reply = self.replies = command.reply
            case v.EndReply():
                assert command.reply == self.open_reply, "only the open reply ends, and once"
                self.open_reply = None
                self.ended.append((command.reply, command.interrupted))
                self.unanswered = self.unanswered and command.interrupted
            case v.TellReplyFailed():
                assert command.reply == self.open_reply
            case v.TellToolCall():
                assert command.reply == self.open_reply, "a call is told inside its reply"
                self.told_calls.add(command.call_id)
            case v.TimeOutTool():
                assert command.call_id in self.told_calls
            case v.TellSpeechStarted():
                assert not self.speech_told, "speech starts once before it stops"
                self.speech_told = True
            case v.TellWords():
                assert self.speech_told, "words are told while the user has the floor"
            case v.TellSpeechStopped():
                assert self.speech_told, "speech stops once after it started"
                self.speech_told = False
                assert isinstance(following, v.TakeTurn | v.DropUtterance)
            case v.TakeTurn():
                assert command.text.strip(), "a turn has words"
                assert self.open_reply is None, "a turn is taken when no reply is open"
                self.turns.append(command.text)
                self.unanswered = True
            case v.WithholdTranscripts():
                assert not self.withheld, "words are withheld once before they are released"
                self.withheld = True
            case v.ReleaseTranscripts():
                assert self.withheld, "only withheld words are released"
                self.withheld = False
            case v.HangUp():
                self.hung_up = True

    def _check_state(self) -> None:
        state = self.state
        if isinstance(state, Over):
            assert self.hung_up
            return
        assert moves.SESSION in self.running, "every session has an end"
        tools = {timer for timer in self.running if timer.startswith(moves.TOOL)}
        calls = {moves.TOOL + call.call_id for call in state.books.calls}
        assert tools == calls, "every open call has a deadline, and no other has"
        others = self.running - tools - {moves.SESSION}
        assert others <= ALLOWED[type(state)], (state, others)
        for group in DEADLINES[type(state)]:
            assert group & others, f"{state} waits for something that may never come"
        replying = isinstance(state, moves.Replying)
        assert (self.open_reply is not None) == replying, "a reply is open exactly while it lives"
        hears = isinstance(state, Listening | Pausing)
        cut_off = isinstance(state, Detached) and state.unsettled
        assert self.speech_told == (hears or cut_off)
        assert self.withheld == state.books.held
        if isinstance(state, Quiet) and not state.books.held:
            assert not self.unanswered, "whoever took a turn was answered, or told why not"
            assert state.books.owed is None, "quiet owes no answer"
            assert state.books.wish is None, "quiet owes no reply"


def _reply(dice: random.Random, chronicle: Chronicle) -> int:
    """Mostly the current reply, sometimes a stale or an unheard-of one."""
    return max(0, chronicle.replies + dice.choice((0, 0, 0, 0, 0, -1, 1)))


def _new_call(dice: random.Random, chronicle: Chronicle) -> str:
    """Mostly an id of its own; some models count from the start again in each reply."""
    if dice.random() < 0.2:
        return dice.choice(CALLS)
    return f"{dice.choice(CALLS)}{chronicle.replies}{len(chronicle.told_calls)}"


def _known_call(dice: random.Random, chronicle: Chronicle) -> str:
    known = sorted(call.call_id for call in chronicle.state.books.calls)
    return dice.choice(known) if known and dice.random() < 0.8 else dice.choice(CALLS)


def _timer(dice: random.Random, chronicle: Chronicle) -> str:
    running = sorted(chronicle.running - {moves.SESSION})
    if running and dice.random() < 0.95:
        return dice.choice(running)
    return dice.choice((moves.SILENCE, moves.WORDS, moves.GRACE, moves.INSIST, "tool:none"))


Maker = Callable[[random.Random, Chronicle], v.Event]

MAKERS: tuple[tuple[float, Maker], ...] = (
    (8, lambda _d, _c: v.VoiceStarted()),
    (7, lambda _d, _c: v.VoiceStopped()),
    (9, lambda d, _c: v.WordsHeard(d.choice(WORDS), settled=d.random() < 0.5)),
    (5, lambda d, _c: v.TurnJudged(d.choice((None, 0.1, 0.9)))),
    (7, lambda d, c: v.WaitOver(_timer(d, c))),
    (6, lambda d, c: v.ReplySounded(_reply(d, c))),
    (5, lambda d, c: v.ReplyFinished(_reply(d, c))),
    (1, lambda d, c: v.ReplyFailed(_reply(d, c), v.Failure("x", "broke"))),
    (1, lambda d, c: v.ReplyTroubled(_reply(d, c), v.Failure("x", "broke"))),
    (3, lambda d, c: v.ToolUsed(_reply(d, c), _new_call(d, c), 1000, hold=d.random() < 0.2)),
    (0.5, lambda d, c: v.ToolRefused(_reply(d, c))),
    (0.7, lambda _d, _c: v.ClientDropped()),
    (2, lambda _d, _c: v.ClientReturned()),
    (2, lambda d, c: v.ToolAnswered(_known_call(d, c))),
    (1, lambda d, _c: v.ReplyRequested(d.choice((None, "say hello")))),
    (1, lambda d, c: v.ReplyCancelled(_reply(d, c))),
    (1, lambda _d, _c: v.HearingFailed()),
    (0.5, lambda d, _c: v.SessionOpened(greets=d.random() < 0.5)),
    (0.1, lambda d, _c: d.choice((v.EndRequested(), v.SessionFailed()))),
    (0.05, lambda _d, _c: v.WaitOver(moves.SESSION)),
)
_WEIGHTS = [weight for weight, _ in MAKERS]
_MAKERS = [maker for _, maker in MAKERS]


def events(dice: random.Random, chronicle: Chronicle, length: int) -> Iterator[v.Event]:
    """Events that depend on what has happened, so that histories go deep."""
    yield v.SessionOpened(greets=dice.random() < 0.7)
    for maker in dice.choices(_MAKERS, _WEIGHTS, k=length):
        yield maker(dice, chronicle)


def begin(dice: random.Random) -> Chronicle:
    """A call with manners of its own."""
    return Chronicle(dice.choice(MANNERS))


def play(seed: int, length: int) -> Chronicle:
    """One history, checked at each step."""
    dice = random.Random(seed)  # noqa: S311
    chronicle = begin(dice)
    for event in events(dice, chronicle, length):
        chronicle.notice(event)
    return chronicle
