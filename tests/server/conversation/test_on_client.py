"""What the client asks for: to open, to end, a reply, no reply."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.states import (
    Books,
    Call,
    Listening,
    Over,
    Pausing,
    Quiet,
    State,
    Thinking,
    Wish,
)
from server.conversation.scenes import (
    ALIVE,
    BOOKS,
    CALLING,
    CONTESTED,
    DOUBTFUL,
    MANNERS,
    QUIET,
    SPEAKING,
    THINKING,
    WAITING,
    happens,
    play,
    timers,
)

CUT = v.EndReply(1, interrupted=True)
DONE = v.EndReply(1, interrupted=False)
BRIEFLY = v.ReplyRequested("be brief")
CREATED = v.StartReply(2, "reply_create", "be brief")


def test_a_session_opens_with_its_greeting() -> None:
    """No user event precedes it (section 4.3)."""
    state, commands = happens(QUIET, v.SessionOpened(greets=True))
    assert state == Thinking(BOOKS, 1, "greeting")
    assert commands == [v.StartReply(1, "greeting")]


def test_a_session_without_a_greeting_opens_in_silence() -> None:
    """Nothing is emitted until the user speaks or a reply is asked for (section 4.3)."""
    assert play(QUIET, v.SessionOpened(greets=False)) == (QUIET, [])


@pytest.mark.parametrize("state", ALIVE)
@pytest.mark.parametrize(
    ("event", "ending"),
    [
        (v.EndRequested(), "client_ended"),
        (v.SessionFailed(), "failed"),
    ],
)
def test_a_call_can_end_at_any_time(state: State, event: v.Event, ending: v.Ending) -> None:
    """A reply in flight is cut without its end being told (section 4.11)."""
    assert play(state, event) == (Over(state.books), [v.HangUp(ending)])


def test_a_reply_asked_for_in_quiet_starts_at_once() -> None:
    """With its instructions, which are for this reply only (section 4.9)."""
    state, commands = happens(QUIET, BRIEFLY)
    assert state == Thinking(BOOKS, 1, "reply_create", instructions="be brief")
    assert commands == [v.StartReply(1, "reply_create", "be brief")]


@pytest.mark.parametrize("state", [Listening(words="hello"), Pausing(words="hello")])
def test_a_reply_asked_for_while_the_user_speaks_waits_for_the_turn(state: State) -> None:
    """The answer to the turn carries the instructions, and then they are used up."""
    following, commands = happens(state, BRIEFLY)
    assert (following, commands) == (replace(state, books=Books(wish=Wish("be brief"))), [])
    following, commands = happens(following, v.HearingFailed())
    assert commands[-1] == v.StartReply(1, "user_speech", "be brief")
    assert following.books == BOOKS


def test_a_reply_asked_for_while_somebody_coughs_is_not_lost() -> None:
    """It starts when the cough has turned out to be one."""
    _, commands = happens(Listening(), v.ReplyRequested(), v.HearingFailed())
    assert commands[-1] == v.StartReply(1, "reply_create")


@pytest.mark.parametrize("state", [THINKING, SPEAKING])
def test_a_reply_asked_for_replaces_the_one_that_runs(state: State) -> None:
    """That is interrupted, then the new one starts (section 9, row 9)."""
    following, commands = happens(state, BRIEFLY)
    expected = Thinking(Books(replies=2), 2, "reply_create", instructions="be brief")
    assert (following, commands) == (expected, [CUT, CREATED])
    assert timers(state, BRIEFLY)["first_sound"] == MANNERS.first_sound_ms


def test_a_voice_that_did_not_count_is_still_on_after_the_replacement() -> None:
    """Else its end would be taken for that of another."""
    state, _ = happens(replace(SPEAKING, voice=True), BRIEFLY)
    assert isinstance(state, Thinking)
    assert state.voice


def test_a_reply_asked_for_while_tools_are_awaited_completes_the_old_one() -> None:
    """It had been heard to its end."""
    _, commands = happens(WAITING, BRIEFLY)
    assert commands == [DONE, CREATED]


def test_a_reply_asked_for_in_a_contest_hears_the_user_out_first() -> None:
    """The old reply goes; the new one answers the client and the user."""
    state, commands = happens(replace(CONTESTED, words="wait"), BRIEFLY)
    assert state == Listening(Books(replies=1, wish=Wish("be brief")), "wait")
    assert commands == [v.TellSpeechStarted(), CUT, v.TellWords("wait")]


def test_a_reply_asked_for_in_doubt_waits_for_the_words() -> None:
    """Where they turn out to be nothing, it starts all the same."""
    state, commands = happens(replace(DOUBTFUL, words="wait"), BRIEFLY)
    assert state == Pausing(
        Books(replies=1, wish=Wish("be brief")), "wait", waited_ms=MANNERS.pause_ms
    )
    assert commands == [v.TellSpeechStarted(), CUT, v.TellWords("wait")]
    _, commands = happens(state, v.WordsHeard(""), v.HearingFailed())
    assert commands[-1] == CREATED


@pytest.mark.parametrize("state", [THINKING, SPEAKING])
def test_a_cancelled_reply_ends_as_if_interrupted(state: State) -> None:
    """But no speech starts (section 4.9)."""
    assert happens(state, v.ReplyCancelled(1)) == (Quiet(BOOKS), [CUT])


def test_a_cancelled_reply_leaves_the_floor_to_a_voice_that_did_not_count() -> None:
    """From now on it does."""
    state, commands = happens(replace(SPEAKING, voice=True), v.ReplyCancelled(1))
    assert state == Listening(BOOKS)
    assert commands == [CUT, v.DropUtterance(), v.TellSpeechStarted()]


def test_a_reply_cancelled_under_a_voice_is_an_interruption() -> None:
    """The user has the floor, with the words so far."""
    state, commands = happens(replace(CONTESTED, words="no"), v.ReplyCancelled(1))
    assert state == Listening(BOOKS, "no")
    assert commands == [v.TellSpeechStarted(), CUT, v.TellWords("no")]
    state, commands = happens(replace(DOUBTFUL, words="no"), v.ReplyCancelled(1))
    assert state == Pausing(BOOKS, "no", waited_ms=MANNERS.pause_ms)
    assert commands == [v.TellSpeechStarted(), CUT, v.TellWords("no")]


def test_a_reply_cancelled_while_it_waits_for_tools_is_complete() -> None:
    """It had been heard to its end; the result is still awaited."""
    assert happens(WAITING, v.ReplyCancelled(1)) == (Quiet(CALLING), [DONE])


def test_cancelling_does_not_cost_the_answer_to_an_earlier_result() -> None:
    """Only what this reply was about is cancelled."""
    owing = replace(SPEAKING, books=Books(replies=1, owed="tool_result"))
    _, commands = happens(owing, v.ReplyCancelled(1))
    assert commands == [CUT, v.StartReply(2, "tool_result")]
    unfinished = Books(replies=1, calls=(Call("b", 1),), owed="tool_result")
    assert happens(replace(WAITING, books=unfinished), v.ReplyCancelled(1))[1][0] == DONE
