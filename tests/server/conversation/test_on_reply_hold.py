"""Results that are held for (protocol section 4.6), and calls that were refused."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import (
    Books,
    Call,
    Contested,
    Doubtful,
    Listening,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Wish,
)
from server.conversation.scenes import (
    BOOKS,
    CONTESTED,
    DOUBTFUL,
    MANNERS,
    REPLYING,
    SPEAKING,
    THINKING,
    happens,
    play,
)

HELD = Books(replies=1, calls=(Call("a", 1, hold=True),))
DONE = v.EndReply(1, interrupted=False)
HOLDS = v.ToolUsed(1, "a", 1000, hold=True)


@pytest.mark.parametrize("state", [THINKING, SPEAKING, CONTESTED, DOUBTFUL])
def test_a_held_call_withholds_the_words_of_the_user(state: State) -> None:
    """From the call on, and once however many there are."""
    following, commands = happens(state, HOLDS)
    assert following == replace(state, books=HELD)
    assert commands == [v.TellToolCall(1, "a"), v.WithholdTranscripts()]
    _, commands = happens(following, v.ToolUsed(1, "b", 1000, hold=True))
    assert commands == [v.TellToolCall(1, "b")]


def test_the_reply_that_made_a_held_call_ends_at_once() -> None:
    """With ``reply.done``, then silence (section 9, row 23)."""
    for state in (replace(THINKING, books=HELD), replace(SPEAKING, books=HELD)):
        assert happens(state, v.ReplyFinished(1)) == (Quiet(HELD), [DONE])


def test_a_turn_during_a_hold_is_taken_and_not_answered() -> None:
    """It is remembered, and owed."""
    speaks = (v.VoiceStarted(), v.WordsHeard("hello there"), v.VoiceStopped())
    ends = (v.WordsHeard("hello there", settled=True), v.TurnJudged(0.99))
    state, commands = happens(Quiet(HELD), *speaks, *ends)
    assert state == Quiet(replace(HELD, owed="user_speech"))
    assert commands == [
        v.TellSpeechStarted(),
        v.TellWords("hello there"),
        v.AskIfDone(),
        v.TellSpeechStopped(),
        v.TakeTurn("hello there"),
    ]


def test_a_noise_during_a_hold_is_nothing() -> None:
    """There is nothing to answer later."""
    state, commands = happens(Quiet(HELD), v.VoiceStarted(), v.HearingFailed())
    assert state == Quiet(HELD)
    assert commands == [v.TellSpeechStarted(), v.TellSpeechStopped(), v.DropUtterance()]


def test_the_result_ends_the_hold_and_is_answered_after_the_words() -> None:
    """Released first, in order, then the reply (section 4.6)."""
    state, commands = happens(Quiet(HELD), v.ToolAnswered("a"))
    assert commands == [v.ReleaseTranscripts(), v.StartReply(2, "tool_result")]
    assert isinstance(state, Thinking)
    assert not state.books.held


def test_what_was_said_meanwhile_and_the_result_are_answered_by_one_reply() -> None:
    """The user's words are what it answers."""
    state, commands = happens(Quiet(replace(HELD, owed="user_speech")), v.ToolAnswered("a"))
    assert commands == [v.ReleaseTranscripts(), v.StartReply(2, "user_speech")]
    assert state.books.owed is None


def test_a_held_tool_that_never_answers_ends_the_hold_as_well() -> None:
    """Its time-out is its result, and is told before the reply."""
    _, commands = happens(Quiet(HELD), v.WaitOver("tool:a"))
    assert commands == [
        v.TimeOutTool("a"),
        v.ReleaseTranscripts(),
        v.StartReply(2, "tool_result"),
    ]


def test_the_hold_lasts_as_long_as_any_held_call_is_open() -> None:
    """Also one of another reply; a call that is not held does not prolong it."""
    books = Books(replies=2, calls=(Call("a", 1, hold=True), Call("b", 2, hold=True)))
    state, commands = happens(Quiet(books), v.ToolAnswered("a"))
    assert commands == []
    assert state.books.owed == "tool_result"
    _, commands = happens(state, v.ToolAnswered("b"))
    assert commands == [v.ReleaseTranscripts(), v.StartReply(3, "tool_result")]
    mixed = Books(replies=1, calls=(Call("a", 1, hold=True), Call("b", 1)))
    assert happens(Quiet(mixed), v.ToolAnswered("a"))[1] == [v.ReleaseTranscripts()]


def test_a_reply_may_be_asked_for_during_a_hold() -> None:
    """A word about the wait (section 4.6): what is owed stays owed."""
    books = replace(HELD, owed="user_speech")
    state, commands = happens(Quiet(books), v.ReplyRequested("say that it takes a while"))
    assert commands == [v.StartReply(2, "reply_create", "say that it takes a while")]
    assert state.books == Books(replies=2, calls=HELD.calls, owed="user_speech")
    state, commands = happens(state, v.ReplyFinished(2))
    assert (state, commands) == (Quiet(state.books), [v.EndReply(2, interrupted=False)])
    assert happens(state, v.ToolAnswered("a"))[1][-1] == v.StartReply(3, "user_speech")


def test_a_result_during_a_word_about_the_wait_is_answered_after_it() -> None:
    """The words are told at once, the answer waits for the floor."""
    state, commands = happens(
        Speaking(replace(HELD, replies=2, owed="user_speech"), 2, "reply_create"),
        v.ToolAnswered("a"),
    )
    assert commands == [v.ReleaseTranscripts()]
    _, commands = happens(state, v.ReplyFinished(2))
    assert commands == [v.EndReply(2, interrupted=False), v.StartReply(3, "user_speech")]


def test_an_id_that_is_used_again_without_hold_ends_the_hold() -> None:
    """The newer call is the one that counts."""
    state = Thinking(replace(HELD, replies=2), 2)
    _, commands = happens(state, v.ToolUsed(2, "a", 1000))
    assert commands == [v.TellToolCall(2, "a"), v.ReleaseTranscripts()]


def test_a_client_that_is_gone_does_not_end_a_hold() -> None:
    """What was said waits for the result, also over a new socket."""
    state, commands = happens(Quiet(HELD), v.ClientDropped(), v.ClientReturned())
    assert (state, commands) == (Quiet(HELD), [])
    state, _ = play(Pausing(HELD, "hello", settled=True), v.ClientDropped(), v.ClientReturned())
    assert state == Quiet(replace(HELD, owed="user_speech"))
    _, commands = happens(Quiet(HELD), v.ClientDropped(), v.ToolAnswered("a"), v.ClientReturned())
    assert commands == [v.ReleaseTranscripts(), v.StartReply(2, "tool_result")]


# --- refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [THINKING, SPEAKING, CONTESTED, DOUBTFUL])
def test_of_a_refused_call_only_the_model_learns(state: State) -> None:
    """No command at all; an answer is owed."""
    following, commands = play(state, v.ToolRefused(1))
    assert commands == []
    books = Books(replies=1, owed="tool_result", refused=True)
    assert following == replace(state, books=books)


@pytest.mark.parametrize("state", REPLYING)
def test_a_refusal_of_another_reply_is_stale(state: State) -> None:
    """Like all that carries an old number."""
    assert play(state, v.ToolRefused(0), v.ToolRefused(2)) == (state, [])


def test_the_model_speaks_again_after_a_refusal() -> None:
    """In a reply of its own, which asks for what was missing; it is a step like any other."""
    state, commands = happens(THINKING, v.ToolRefused(1), v.ReplyFinished(1))
    assert commands == [DONE, v.StartReply(2, "tool_result")]
    assert state == Thinking(Books(replies=2, steps=1), 2, "tool_result", asks=True)
    speaking, _ = happens(state, v.ReplySounded(2))
    assert speaking == Speaking(Books(replies=2, steps=1), 2, "tool_result", asks=True)


def test_only_the_next_reply_asks() -> None:
    """What came before is settled then."""
    state, _ = happens(THINKING, v.ToolRefused(1), v.ReplyFinished(1), v.ReplyFinished(2))
    _, commands = happens(state, v.ReplyRequested())
    state, _ = happens(state, v.ReplyRequested())
    assert commands == [v.StartReply(3, "reply_create")]
    assert state == Thinking(Books(replies=3), 3, "reply_create")


def test_a_refused_call_and_good_ones_are_answered_together() -> None:
    """Whichever came first."""
    good, bad = v.ToolUsed(1, "a", 1000), v.ToolRefused(1)
    for events in ((good, bad), (bad, good)):
        state, commands = happens(THINKING, *events, v.ReplyFinished(1))
        assert commands == [v.TellToolCall(1, "a")]
        state, commands = happens(state, v.ToolAnswered("a"))
        assert commands == [DONE, v.StartReply(2, "tool_result")]
        assert isinstance(state, Thinking)
        assert state.asks


def test_a_refused_call_does_not_hurry_the_good_ones() -> None:
    """The reply is closed when their time for a quick result is over, and no other begins."""
    calls = (v.ToolUsed(1, "a", 1000), v.ToolRefused(1), v.ReplyFinished(1))
    state, commands = happens(THINKING, *calls, v.WaitOver("grace"))
    assert commands == [v.TellToolCall(1, "a"), DONE]
    assert happens(state, v.ToolAnswered("a"))[1] == [v.StartReply(2, "tool_result")]


def test_a_question_after_a_refusal_may_be_protected() -> None:
    """``uninterruptible_turns`` with ``tool_refused_ask``; no other reply is."""
    protected = Manners(patience=MANNERS.patience, refusal_interruptible=False)
    for asks, kinds in (
        (Thinking(BOOKS, 1, asks=True), Thinking),
        (Speaking(BOOKS, 1, asks=True), Speaking),
        (THINKING, Listening),
        (SPEAKING, Contested),
    ):
        state, commands = happens(asks, v.VoiceStarted(), manners=protected)
        assert isinstance(state, kinds)
        if kinds in {Thinking, Speaking}:
            assert commands == []
            assert state == replace(asks, voice=True)


def test_a_question_that_nobody_heard_is_asked_again() -> None:
    """Dropped for a cough it is owed, and is still a question."""
    asking = Thinking(Books(replies=2, steps=1), 2, "tool_result", asks=True)
    state, commands = happens(asking, v.VoiceStarted(), v.HearingFailed())
    assert commands[-1] == v.StartReply(3, "tool_result")
    assert state == Thinking(Books(replies=3, steps=1), 3, "tool_result", asks=True)


def test_an_interrupted_refusal_is_answered_with_the_turn() -> None:
    """The reply to what the user said asks, too."""
    state, _ = happens(SPEAKING, v.ToolRefused(1), v.VoiceStarted(), v.WordsHeard("no, wait"))
    assert isinstance(state, Contested | Doubtful)
    state, _ = happens(state, v.WaitOver("insist"))
    assert isinstance(state, Listening)
    state, commands = happens(state, v.HearingFailed())
    assert commands[-1] == v.StartReply(2, "user_speech")
    assert isinstance(state, Thinking)
    assert state.asks
    assert state.books.owed is None


def test_a_wish_takes_up_the_question() -> None:
    """One reply to both; nothing is owed twice."""
    books = Books(replies=1, owed="tool_result", refused=True, wish=Wish("briefly"))
    state, commands = happens(Speaking(books, 1), v.ReplyFinished(1))
    assert commands == [DONE, v.StartReply(2, "reply_create", "briefly")]
    assert state == Thinking(Books(replies=2), 2, "reply_create", instructions="briefly", asks=True)


def test_refusals_in_a_row_come_to_an_end() -> None:
    """A model that calls again what was refused gets no tools in the end, and once it calls one
    all the same, no further reply.
    """
    manners = Manners(tool_steps=3)
    state: State = THINKING
    allowed = []
    for number in range(1, 10):
        state, commands = happens(
            state, v.ToolRefused(number), v.ReplyFinished(number), manners=manners
        )
        allowed += [command.tools for command in commands if isinstance(command, v.StartReply)]
    assert allowed == [True, True, False]
    assert state == Quiet(Books(replies=4, steps=3))
