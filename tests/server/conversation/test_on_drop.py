"""The socket is gone, and the client comes back or does not (protocol section 4.11)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.states import (
    Books,
    Call,
    Detached,
    Listening,
    Over,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
)
from server.conversation.scenes import (
    ALIVE,
    BOOKS,
    CALLING,
    CONTESTED,
    DOUBTFUL,
    MANNERS,
    QUIET,
    REPLYING,
    SPEAKING,
    THINKING,
    WAITING,
    happens,
    play,
    timers,
)

DROP, RETURN = v.ClientDropped(), v.ClientReturned()
CONNECTED = tuple(state for state in ALIVE if not isinstance(state, Detached))


@pytest.mark.parametrize("state", CONNECTED)
def test_a_dropped_client_has_its_time_to_come_back(state: State) -> None:
    """Whatever was under way; the call is kept no longer than that."""
    following, _ = play(state, DROP)
    assert isinstance(following, Detached)
    assert timers(state, DROP)["resume"] == MANNERS.resume_ms
    assert play(following, v.WaitOver("resume"))[1][-1] == v.HangUp("client_left")


@pytest.mark.parametrize("state", CONNECTED)
def test_where_nothing_is_resumed_a_drop_is_the_end(state: State) -> None:
    """An operator may choose so."""
    never = replace(MANNERS, resume_ms=0)
    assert play(state, DROP, manners=never) == (Over(state.books), [v.HangUp("client_left")])


@pytest.mark.parametrize("state", REPLYING)
def test_a_reply_in_flight_ends_with_the_socket(state: State) -> None:
    """Once, and it is not taken up again: no client expects that."""
    _, commands = happens(state, DROP)
    assert [type(c) for c in commands].count(v.EndReply) == 1
    following, _ = play(state, DROP)
    assert play(following, v.ReplyFinished(1), v.ReplySounded(1)) == (following, [])


def test_a_reply_that_nobody_heard_is_owed() -> None:
    """It starts anew, with its instructions, when the client is back."""
    asked = replace(THINKING, trigger="reply_create", instructions="be brief")
    state, commands = happens(asked, DROP, RETURN)
    assert commands == [v.EndReply(1, True), v.StartReply(2, "reply_create", "be brief")]
    assert isinstance(state, Thinking)


def test_the_greeting_is_not_said_again() -> None:
    """Even where it was cut off before its first sound."""
    state, commands = happens(replace(THINKING, trigger="greeting"), DROP, RETURN)
    assert commands == [v.EndReply(1, True)]
    assert state == Quiet(BOOKS)


def test_a_reply_that_called_a_tool_is_not_begun_again() -> None:
    """It would call it twice; the result is answered, whenever it comes. It counts as completed,
    because clients drop results of interrupted replies (section 4.5).
    """
    calling = replace(THINKING, books=CALLING)
    state, commands = happens(calling, DROP, RETURN)
    assert (state, commands) == (Quiet(CALLING), [v.EndReply(1, False)])
    assert happens(state, v.ToolAnswered("a"))[1] == [v.StartReply(2, "tool_result")]
    older = replace(THINKING, books=Books(replies=2, calls=(Call("a", 1),)), reply=2)
    assert happens(older, DROP, RETURN)[1][-1] == v.StartReply(3, "user_speech")


def test_a_reply_that_was_heard_is_not_owed() -> None:
    """What was heard of it is remembered; the user asks where more is wanted."""
    assert happens(SPEAKING, DROP, RETURN) == (Quiet(BOOKS), [v.EndReply(1, True)])


@pytest.mark.parametrize("state", [Listening(words="hello"), Pausing(words="hello")])
def test_an_utterance_that_was_cut_off_is_taken_to_its_end(state: State) -> None:
    """Its final words come without the client, and are answered once it is back."""
    detached, _ = play(state, DROP)
    assert detached == Detached(words="hello", unsettled=True)
    taken, commands = happens(detached, v.WordsHeard("hello there", settled=True))
    assert commands == [v.TellSpeechStopped(), v.TakeTurn("hello there")]
    assert taken == Detached(Books(owed="user_speech"))
    assert happens(taken, RETURN)[1] == [v.StartReply(1, "user_speech")]


@pytest.mark.parametrize(
    "state", [Listening(words="hello"), Pausing(words="hello"), CONTESTED, DOUBTFUL]
)
def test_the_last_words_are_not_awaited_for_longer_than_others(state: State) -> None:
    """A recogniser that is stuck does not keep what is known already."""
    contested = replace(state, words="wait a moment")
    assert timers(contested, DROP)["words"] == MANNERS.words_ms


def test_words_that_were_final_are_taken_at_once() -> None:
    """Nothing else could come."""
    state = Pausing(words="hello", settled=True)
    assert happens(state, DROP) == (
        Detached(Books(owed="user_speech")),
        [v.TellSpeechStopped(), v.TakeTurn("hello")],
    )


@pytest.mark.parametrize("event", [v.WaitOver("words"), v.HearingFailed()])
def test_what_is_known_of_an_utterance_is_taken_when_no_more_comes(event: v.Event) -> None:
    """The recogniser is late, or broke off."""
    detached = Detached(words="hello", unsettled=True)
    assert happens(detached, event)[1] == [v.TellSpeechStopped(), v.TakeTurn("hello")]


def test_a_noise_that_was_cut_off_is_no_turn() -> None:
    """There are no words in it."""
    detached, _ = play(Listening(), DROP)
    state, commands = happens(detached, v.WordsHeard("", settled=True))
    assert (state, commands) == (Detached(), [v.TellSpeechStopped(), v.DropUtterance()])


def test_a_client_that_is_back_at_once_may_go_on_speaking() -> None:
    """Its voice joins what was heard before."""
    state, _ = play(Listening(words="tell me"), DROP, RETURN)
    assert isinstance(state, Pausing)
    state, commands = happens(state, v.VoiceStarted(), v.WordsHeard("tell me a story"))
    assert state == Listening(words="tell me a story")
    assert commands == [v.TellWords("tell me a story")]


def test_nobody_is_back_in_time_and_nothing_said_is_lost() -> None:
    """The last words are remembered before the end."""
    _, commands = happens(Detached(words="hello", unsettled=True), v.WaitOver("resume"))
    assert commands == [v.TellSpeechStopped(), v.TakeTurn("hello"), v.HangUp("client_left")]


def test_an_interruption_that_had_words_counts() -> None:
    """The reply is cut, and the words become a turn."""
    state, commands = happens(replace(CONTESTED, words="wait a moment"), DROP)
    assert state == Detached(BOOKS, "wait a moment", unsettled=True)
    assert commands == [
        v.TellSpeechStarted(),
        v.EndReply(1, True),
        v.TellWords("wait a moment"),
        v.AskIfDone(),
    ]


def test_a_sign_of_listening_is_forgotten() -> None:
    """It interrupts nothing; the drop does."""
    state, commands = happens(replace(CONTESTED, words="uh-huh"), DROP)
    assert (state, commands) == (Detached(BOOKS), [v.EndReply(1, True), v.DropUtterance()])


def test_words_still_in_doubt_are_awaited() -> None:
    """What they were decides whether there is a turn."""
    state, _ = happens(DOUBTFUL, DROP)
    assert state == Detached(BOOKS, unsettled=True)


def test_a_voice_that_did_not_count_does_not_count_later() -> None:
    """It was spoken over a reply that may not be interrupted."""
    _, commands = happens(replace(SPEAKING, voice=True), DROP)
    assert commands == [v.EndReply(1, True), v.DropUtterance()]
    _, commands = happens(replace(THINKING, voice=True), DROP)
    assert commands == [v.EndReply(1, True), v.DropUtterance()]


def test_a_result_that_comes_while_nobody_is_there_is_answered_later() -> None:
    """One ledger outlives the reply, and the socket."""
    state, commands = happens(WAITING, DROP, v.ToolAnswered("a"))
    assert commands == [v.EndReply(1, False)]
    assert happens(state, RETURN)[1] == [v.StartReply(2, "tool_result")]


def test_a_pending_call_is_answered_after_the_return() -> None:
    """The client may have worked on it meanwhile."""
    state, _ = play(WAITING, DROP, RETURN)
    assert state == Quiet(Books(replies=1, calls=(Call("a", 1),)))
    assert happens(state, v.ToolAnswered("a"))[1] == [v.StartReply(2, "tool_result")]


def test_what_the_microphone_says_while_nobody_is_there_is_nothing() -> None:
    """No audio comes; late verdicts of earlier audio mean nothing any more."""
    for event in (
        v.VoiceStarted(),
        v.VoiceStopped(),
        v.TurnJudged(0.9),
        v.WordsHeard("late", settled=True),
        v.HearingFailed(),
        v.WaitOver("words"),
        DROP,
        v.ReplyRequested(),
    ):
        assert play(Detached(), event) == (Detached(), [])


def test_a_return_means_nothing_to_a_client_that_is_there() -> None:
    """Takeovers drop the old socket first."""
    for state in (QUIET, SPEAKING, Speaking(BOOKS, 1, voice=True), Listening()):
        assert play(state, RETURN) == (state, [])
