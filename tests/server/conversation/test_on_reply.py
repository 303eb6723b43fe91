"""The agent's side: a reply sounds, ends or fails; its tool calls and their results."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import (
    Books,
    Call,
    Listening,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Waiting,
)
from server.conversation.scenes import (
    BOOKS,
    CALLING,
    CLOSING,
    CONTESTED,
    DOUBTFUL,
    FAILURE,
    MANNERS,
    REPLYING,
    SPEAKING,
    THINKING,
    WAITING,
    happens,
    play,
    timers,
)

DONE = v.EndReply(1, interrupted=False)
TWO_CALLS = Books(replies=1, calls=(Call("a", 1), Call("b", 1)))


def test_a_reply_that_sounds_is_no_longer_waited_for() -> None:
    """From then on it is its length that is limited."""
    assert happens(THINKING, v.ReplySounded(1)) == (SPEAKING, [])
    assert timers(THINKING, v.ReplySounded(1)) == {
        "first_sound": None,
        "reply": MANNERS.reply_ms,
    }


def test_a_reply_ends_once_it_has_been_heard() -> None:
    """With it end the timers that belong to it."""
    assert play(SPEAKING, v.ReplyFinished(1)) == (Quiet(BOOKS), [*CLOSING, DONE])


@pytest.mark.parametrize("state", REPLYING)
def test_what_is_said_of_another_reply_is_stale(state: State) -> None:
    """Sounds, ends, failures, calls and cancellations of old replies change nothing."""
    for number in (0, 2):
        stale = (
            v.ReplySounded(number),
            v.ReplyFinished(number),
            v.ReplyFailed(number, FAILURE),
            v.ReplyTroubled(number, FAILURE),
            v.ToolUsed(number, "z", 1000),
            v.ReplyCancelled(number),
        )
        assert play(state, *stale) == (state, [])


@pytest.mark.parametrize("state", [THINKING, SPEAKING, WAITING])
def test_a_failed_reply_is_told_and_then_completed(state: State) -> None:
    """First the error, then the end (section 4.12)."""
    following, commands = happens(state, v.ReplyFailed(1, FAILURE))
    assert following == Quiet(state.books)
    assert commands == [v.TellReplyFailed(1, FAILURE), DONE]


@pytest.mark.parametrize("state", [THINKING, SPEAKING, CONTESTED, DOUBTFUL])
def test_a_reply_that_could_not_be_written_goes_on(state: State) -> None:
    """It is told that the model failed; the apology is the rest of the reply."""
    assert happens(state, v.ReplyTroubled(1, FAILURE)) == (state, [v.TellReplyFailed(1, FAILURE)])


def test_a_voice_that_did_not_count_counts_from_the_end_of_the_reply() -> None:
    """What was said before is dropped; the reply was not interrupted."""
    for state in (replace(THINKING, voice=True), replace(SPEAKING, voice=True)):
        following, commands = happens(state, v.ReplyFinished(1))
        assert following == Listening(BOOKS)
        assert commands == [DONE, v.DropUtterance(), v.TellSpeechStarted()]


def test_a_protected_reply_keeps_its_voice_when_it_sounds() -> None:
    """It is still on."""
    state, _ = happens(replace(THINKING, voice=True), v.ReplySounded(1))
    assert state == Speaking(BOOKS, 1, voice=True)


def test_a_reply_that_ends_under_a_voice_leaves_the_floor_to_it() -> None:
    """Completed, not interrupted; then speech starts, with the words so far."""
    state, commands = happens(replace(CONTESTED, words="wait"), v.ReplyFinished(1))
    assert state == Listening(BOOKS, "wait")
    assert commands == [DONE, v.TellSpeechStarted(), v.TellWords("wait")]
    assert happens(CONTESTED, v.ReplyFinished(1))[1] == [DONE, v.TellSpeechStarted()]


def test_a_reply_that_ends_in_doubt_leaves_the_words_to_come() -> None:
    """The pause goes on; words and verdict were asked for already and are not lost."""
    doubtful = replace(DOUBTFUL, words="wait", judged=True, verdict=0.9)
    state, commands = happens(doubtful, v.ReplyFinished(1))
    assert state == Pausing(BOOKS, "wait", judged=True, verdict=0.9, waited_ms=200)
    assert commands == [DONE, v.TellSpeechStarted(), v.TellWords("wait")]
    assert timers(doubtful, v.ReplyFinished(1))["words"] is None
    assert timers(doubtful, v.ReplyFinished(1))["utterance"] == MANNERS.utterance_ms


# --- tools ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [THINKING, SPEAKING, CONTESTED, DOUBTFUL])
def test_a_call_is_told_inside_its_reply_and_has_a_deadline(state: State) -> None:
    """Whoever has the floor just then (section 4.5)."""
    following, commands = play(state, v.ToolUsed(1, "a", 1500))
    assert following == replace(state, books=CALLING)
    assert commands == [v.TellToolCall(1, "a"), v.Wait("tool:a", 1500)]


def test_a_reply_with_an_open_call_stays_open_for_a_moment() -> None:
    """So that a quick result comes before the reply is done (section 4.5)."""
    for state in (replace(THINKING, books=CALLING), replace(SPEAKING, books=CALLING)):
        assert happens(state, v.ReplyFinished(1)) == (Waiting(CALLING, 1), [])
        assert timers(state, v.ReplyFinished(1)) == {
            "first_sound": None,
            "reply": None,
            "grace": MANNERS.grace_ms,
        }


def test_a_reply_does_not_stay_open_for_the_calls_of_another() -> None:
    """Those it cannot answer."""
    older = Books(replies=2, calls=(Call("a", 1),))
    state, commands = happens(Speaking(older, 2), v.ReplyFinished(2))
    assert (state, commands) == (Quiet(older), [v.EndReply(2, interrupted=False)])


def test_a_reply_does_not_stay_open_while_somebody_speaks() -> None:
    """The floor is the user's at once."""
    for state in (
        replace(SPEAKING, books=CALLING, voice=True),
        replace(CONTESTED, books=CALLING),
        replace(DOUBTFUL, books=CALLING),
    ):
        following, commands = happens(state, v.ReplyFinished(1))
        assert isinstance(following, Listening | Pausing)
        assert commands[0] == DONE


def test_the_result_ends_the_wait_and_starts_the_answer() -> None:
    """The reply is done, then the next starts (section 4.5); the tool's deadline is gone."""
    state, commands = happens(WAITING, v.ToolAnswered("a"))
    assert state == Thinking(Books(replies=2, steps=1), 2, "tool_result")
    assert commands == [DONE, v.StartReply(2, "tool_result")]
    assert timers(WAITING, v.ToolAnswered("a"))["tool:a"] is None


def test_an_early_result_is_answered_after_the_reply() -> None:
    """It is accepted while the calling reply still sounds (section 9, row 10)."""
    state, commands = happens(replace(SPEAKING, books=CALLING), v.ToolAnswered("a"))
    assert (state, commands) == (Speaking(Books(replies=1, owed="tool_result"), 1), [])
    state, commands = happens(state, v.ReplyFinished(1))
    assert commands == [DONE, v.StartReply(2, "tool_result")]


def test_a_late_result_is_answered_when_nobody_speaks() -> None:
    """After the reply was done, the agent comes back to it by itself."""
    state, commands = happens(Quiet(CALLING), v.ToolAnswered("a"))
    assert isinstance(state, Thinking)
    assert commands == [v.StartReply(2, "tool_result")]


@pytest.mark.parametrize("state", [Listening(CALLING), Pausing(CALLING)])
def test_a_result_while_the_user_has_the_floor_is_answered_with_the_turn(state: State) -> None:
    """One reply to both; or to the result alone, where the voice was a cough."""
    following, commands = happens(state, v.ToolAnswered("a"))
    assert commands == []
    with_words = replace(following, words="hello there")
    assert happens(with_words, v.HearingFailed())[1][-1] == v.StartReply(2, "user_speech")
    assert happens(with_words, v.HearingFailed())[0].books.owed is None
    assert happens(following, v.HearingFailed())[1][-1] == v.StartReply(2, "tool_result")


def test_a_result_is_taken_once() -> None:
    """A second one, like that of an unknown call, is ignored (section 9, row 10)."""
    state, _ = happens(Quiet(CALLING), v.ToolAnswered("a"))
    assert happens(state, v.ToolAnswered("a")) == (state, [])
    assert happens(state, v.ToolAnswered("unknown")) == (state, [])
    assert play(Quiet(), v.ToolAnswered("a")) == (Quiet(), [])


def test_parallel_calls_are_answered_together() -> None:
    """All results of one reply are awaited before one answer (section 4.5)."""
    for waiting in (Waiting(TWO_CALLS, 1), Quiet(TWO_CALLS)):
        state, commands = happens(waiting, v.ToolAnswered("b"))
        assert (state, commands) == (replace(waiting, books=CALLING), [])
        _, commands = happens(state, v.ToolAnswered("a"))
        assert commands[-1] == v.StartReply(2, "tool_result")


def test_a_result_before_the_second_call_is_answered_with_the_second() -> None:
    """A model that still writes may call again; two answers would say everything twice."""
    state, _ = happens(
        THINKING,
        v.ToolUsed(1, "a", 1000),
        v.ToolAnswered("a"),
        v.ToolUsed(1, "b", 1000),
        v.ReplyFinished(1),
    )
    assert state == Waiting(Books(replies=1, calls=(Call("b", 1),)), 1)
    state, commands = happens(state, v.WaitOver("grace"))
    assert (type(state), commands) == (Quiet, [DONE])
    _, commands = happens(state, v.ToolAnswered("b"))
    assert commands == [v.StartReply(2, "tool_result")]


def test_the_result_of_an_older_call_waits_for_the_open_reply() -> None:
    """A reply that waits for its own tool is not closed for another's."""
    books = Books(replies=2, calls=(Call("a", 1), Call("b", 2)))
    state, commands = happens(Waiting(books, 2), v.ToolAnswered("a"))
    assert commands == []
    assert state == Waiting(Books(replies=2, calls=(Call("b", 2),), owed="tool_result"), 2)


def test_an_id_that_is_used_again_means_the_newer_call() -> None:
    """Else the older one would stay open for ever, without a timer."""
    state, _ = happens(Thinking(replace(CALLING, replies=2), 2), v.ToolUsed(2, "a", 1000))
    assert state.books.calls == (Call("a", 2),)


def test_results_in_a_row_are_answered_without_tools_in_the_end() -> None:
    """A model that only calls tools must come to speak."""
    manners = Manners(tool_steps=2)
    state: State = Quiet(CALLING)
    allowed = []
    for number in (2, 3, 4):
        state, commands = happens(state, v.ToolAnswered("a"), manners=manners)
        allowed += [command.tools for command in commands if isinstance(command, v.StartReply)]
        more = (v.ToolUsed(number, "a", 1000), v.ReplyFinished(number))
        state, _ = happens(state, *more, manners=manners)
    assert allowed == [True, False, False]
