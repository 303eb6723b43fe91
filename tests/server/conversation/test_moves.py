"""Moves that several rules share."""

from __future__ import annotations

from antiphon_server.conversation import moves
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners, fixed
from antiphon_server.conversation.states import (
    Books,
    Listening,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Wish,
)
from server.conversation.scenes import BOOKS, CLOSING, CONTESTED, MANNERS, SPEAKING, WAITING


def test_a_reply_takes_the_next_number_and_all_that_is_owed() -> None:
    """No later reply answers the same again."""
    books = Books(replies=4, owed="tool_result", wish=Wish("briefly"))
    state, commands = moves.start(books, "user_speech", MANNERS)
    assert state == Thinking(Books(replies=5), 5, "user_speech", instructions="briefly")
    assert commands == (
        v.Wait("first_sound", MANNERS.first_sound_ms),
        v.StartReply(5, "user_speech", "briefly"),
    )


def test_only_answers_to_tool_results_are_counted_as_steps() -> None:
    """Whatever else is answered begins the count anew."""
    state, _ = moves.start(Books(steps=3), "tool_result", MANNERS)
    assert state.books.steps == 4
    state, _ = moves.start(state.books, "user_speech", MANNERS)
    assert state.books.steps == 0


def test_a_free_floor_goes_to_the_wish_then_to_what_is_owed_then_to_nobody() -> None:
    """One reply takes up both."""
    wish, owed = Wish("briefly"), Books(owed="user_speech")
    assert moves.settle(Books(owed="user_speech", wish=wish), MANNERS)[1][1] == v.StartReply(
        1, "reply_create", "briefly"
    )
    assert moves.settle(owed, MANNERS)[1][1] == v.StartReply(1, "user_speech")
    assert moves.settle(BOOKS, MANNERS) == (Quiet(BOOKS), ())


def test_closing_stops_every_timer_of_a_reply_before_it_ends() -> None:
    """Whatever the reply was doing."""
    for interrupted in (True, False):
        expected = (*CLOSING, v.EndReply(1, interrupted=interrupted))
        assert moves.close(WAITING, interrupted=interrupted) == expected


def test_an_interruption_is_told_in_the_order_of_the_protocol() -> None:
    """Speech started, the reply's end, and then the words (section 4.8)."""
    told = moves.interrupt(CONTESTED, "wait")
    assert [c for c in told if not isinstance(c, v.StopWaiting)] == [
        v.TellSpeechStarted(),
        v.EndReply(1, interrupted=True),
        v.TellWords("wait"),
    ]
    assert moves.interrupt(CONTESTED, "")[-1] == v.EndReply(1, interrupted=True)


def test_the_milestones_follow_one_another() -> None:
    """Those of the default patience; after the last there is none."""
    found = [moves.milestone(ms, MANNERS) for ms in (0, 200, 800, 900, 1000, 5000)]
    assert found == [200, 800, 900, 1000, None, None]


def test_a_pause_longer_than_all_patience_waits_for_the_words_alone() -> None:
    """With a patience of 100 ms a pause of 200 ms is the end of any turn."""
    hasty = Manners(patience=fixed(50, 100))
    state, commands = moves.pause(Pausing(words="yes"), hasty)
    assert state == Pausing(words="yes", waited_ms=200)
    assert commands == (v.Wait("words", hasty.words_ms),)
    state, commands = moves.pause(Pausing(words="yes", settled=True), hasty)
    assert isinstance(state, Thinking)


def test_a_pause_of_an_utterance_that_was_not_timed_is_timed_from_now() -> None:
    """It began while the reply sounded; where it ends at once there is nothing to time."""
    _, commands = moves.pause_anew(Pausing(), MANNERS)
    assert commands[0] == v.Wait("utterance", MANNERS.utterance_ms)
    ended = Pausing(words="stop", settled=True, judged=True, verdict=0.9)
    state, commands = moves.pause_anew(ended, MANNERS)
    assert isinstance(state, Thinking)
    assert not any(isinstance(c, v.Wait) and c.timer == "utterance" for c in commands)


def test_listening_has_a_longest_time() -> None:
    """However it began."""
    assert moves.listen(BOOKS, "so", MANNERS) == (
        Listening(BOOKS, "so"),
        (v.Wait("utterance", MANNERS.utterance_ms),),
    )


def test_who_may_be_interrupted() -> None:
    """All, unless all are protected, or this is a protected greeting."""
    greeting = Speaking(BOOKS, 1, "greeting")
    for manners, either in (
        (Manners(), (True, True)),
        (Manners(interruptible=False), (False, False)),
        (Manners(greeting_interruptible=False), (True, False)),
    ):
        assert (
            moves.may_interrupt(SPEAKING, manners),
            moves.may_interrupt(greeting, manners),
        ) == either


def test_a_rule_is_entered_for_each_of_its_states() -> None:
    """The table of rules is written by the rules themselves."""
    rules: moves.Rules = {}

    @moves.into(rules)(Quiet, Listening, sees=v.VoiceStarted)
    def rule(state: State, _event: v.VoiceStarted, _manners: Manners) -> moves.Step:
        return state, ()

    assert rules == {(Quiet, v.VoiceStarted): rule, (Listening, v.VoiceStarted): rule}
