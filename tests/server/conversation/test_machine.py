"""What is true of every history of a conversation."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from antiphon_server.conversation import (
    machine,
    moves,
    on_client,
    on_drop,
    on_reply,
    on_time,
    on_voice,
)
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.states import (
    Books,
    Listening,
    Over,
    Quiet,
    Speaking,
    State,
    Thinking,
)
from server.conversation import histories
from server.conversation.scenes import EVERY, FAILURE, MANNERS, QUIET, play

HISTORIES = int(os.environ.get("CONVERSATION_HISTORIES", "100000"))
"""Fewer are played where the tests themselves are tested."""
SHARES = 4
LENGTH = 30

EVENTS: tuple[v.Event, ...] = (
    v.SessionOpened(greets=True),
    v.SessionOpened(greets=False),
    v.VoiceStarted(),
    v.VoiceStopped(),
    v.WordsHeard("some tea"),
    v.WordsHeard("some tea please", settled=True),
    v.WordsHeard("uh-huh", settled=True),
    v.WordsHeard("", settled=True),
    v.TurnJudged(0.9),
    v.TurnJudged(None),
    v.HearingFailed(),
    *(
        event
        for reply in (0, 1, 2)
        for event in (
            v.ReplySounded(reply),
            v.ToolUsed(reply, "b", 1000),
            v.ReplyFinished(reply),
            v.ReplyFailed(reply, FAILURE),
            v.ReplyTroubled(reply, FAILURE),
            v.ReplyCancelled(reply),
        )
    ),
    v.ReplyRequested(),
    v.ReplyRequested("be brief"),
    v.ToolAnswered("a"),
    v.ToolAnswered("unknown"),
    *(v.WaitOver(timer) for timer in ("silence", "words", "insist", "first_sound", "reply")),
    *(v.WaitOver(timer) for timer in ("grace", "utterance", "session", "tool:a", "tool:z", "?")),
    v.EndRequested(),
    v.ClientDropped(),
    v.ClientReturned(),
    v.ToolRefused(1),
    v.SessionFailed(),
)


@pytest.mark.parametrize("share", range(SHARES))
def test_no_history_breaks_an_invariant(share: int) -> None:
    """One reply at a time, each ending once; every state has its deadline; and so on."""
    for seed in range(share, HISTORIES, SHARES):
        histories.play(seed, LENGTH)


@given(st.data())
@settings(max_examples=min(300, HISTORIES), deadline=None, database=None)
def test_no_history_that_shrinks_breaks_one(data: st.DataObject) -> None:
    """As above, of any length; what fails is shown as short as it can be made."""
    dice = data.draw(st.randoms(use_true_random=False))
    chronicle = histories.begin(dice)
    for event in histories.events(dice, chronicle, data.draw(st.integers(0, 60))):
        chronicle.notice(event)


@given(st.lists(st.sampled_from(EVENTS), max_size=40), st.sampled_from(histories.MANNERS))
@settings(max_examples=min(300, HISTORIES), deadline=None, database=None)
def test_events_in_any_order_break_no_invariant(events: list[v.Event], manners: Any) -> None:
    """Even those that could not happen: sounds before replies, results before calls."""
    chronicle = histories.Chronicle(manners)
    for event in events:
        chronicle.notice(event)


@pytest.mark.parametrize("state", EVERY)
def test_every_event_is_legal_in_every_state(state: State) -> None:
    """``step`` is total: it returns a state and commands, and does the same each time."""
    for event in EVENTS:
        following, commands = machine.step(state, event, MANNERS)
        assert isinstance(following, State)
        assert all(isinstance(command, v.Command) for command in commands)
        assert machine.step(state, event, MANNERS) == (following, commands)


def test_all_states_and_events_are_among_the_examples() -> None:
    """A new one must be added to them."""
    assert {type(event) for event in EVENTS} == set(v.EVENTS)
    assert {type(state) for state in EVERY} == set(State.__subclasses__())


@pytest.mark.parametrize("event", EVENTS)
def test_nothing_follows_the_end(event: v.Event) -> None:
    """Over is final."""
    assert machine.step(Over(), event, MANNERS) == (Over(), ())


def test_a_call_begins_in_quiet_with_its_longest_time() -> None:
    """Nothing else is waited for."""
    assert machine.begin(MANNERS) == (QUIET, (v.Wait("session", MANNERS.session_ms),))


def test_a_state_is_never_changed_in_place() -> None:
    """A journal may keep the states it has seen."""
    for state in EVERY:
        before = replace(state)
        play(state, *EVENTS)
        assert state == before


def test_every_rule_is_used_by_some_history() -> None:
    """A rule that nothing reaches is either dead or not tested. The ends of a call are too rare
    to be met in every state.
    """
    ends = (v.EndRequested, v.SessionFailed)
    used: set[tuple[type[State], type[v.Event]]] = set()
    deadlines: set[tuple[type[State], str]] = set()
    for seed in range(8000):
        dice = random.Random(seed)  # noqa: S311
        chronicle = histories.begin(dice)
        for event in histories.events(dice, chronicle, LENGTH):
            used.add((type(chronicle.state), type(event)))
            if isinstance(event, v.WaitOver):
                deadlines.add((type(chronicle.state), event.timer))
            chronicle.notice(event)
    assert {pair for pair in machine.RULES if pair[1] not in ends} - used == set()
    assert set(on_time._DEADLINES) - deadlines == set()


def test_no_two_modules_have_a_rule_for_the_same() -> None:
    """The later would silently replace the earlier."""
    parts = (on_client, on_drop, on_voice, on_reply, on_time)
    assert len(machine.RULES) == sum(len(part.RULES) for part in parts)


def test_every_state_but_two_can_be_left_by_waiting() -> None:
    """Quiet waits for somebody, Over for nobody; all others have a rule for a time-out."""
    waiting = {kind for kind, _ in on_time._DEADLINES}
    assert set(moves.ALIVE) - waiting == {Quiet}


# --- adversarial sequences -----------------------------------------------------------------

COUGH = (
    v.VoiceStarted(),
    v.VoiceStopped(),
    v.WordsHeard("", settled=True),
    v.TurnJudged(0.9),
    *(v.WaitOver("silence"),) * 3,
)


def test_an_answer_survives_any_number_of_coughs() -> None:
    """Each drops the reply that has not sounded, and each is followed by another."""
    state: State = Thinking(Books(replies=1), 1)
    for number in range(2, 6):
        state, commands = play(state, *COUGH)
        assert isinstance(state, Thinking)
        assert commands[-1] == v.StartReply(number, "user_speech")


def test_coughs_do_not_use_up_the_tools() -> None:
    """A reply that was dropped unheard is no step of a chain of tool calls."""
    state: State = Thinking(Books(replies=1, steps=1), 1, "tool_result")
    state, commands = play(state, *COUGH * (MANNERS.tool_steps + 1))
    assert state.books.steps == 1
    assert isinstance(commands[-1], v.StartReply)
    assert commands[-1].tools


def test_a_voice_that_never_stops_does_not_stop_the_agent_from_answering() -> None:
    """A minute of speech is a turn; what follows is the next one."""
    state: State = Listening(words="and another thing")
    state, commands = play(
        state,
        v.WaitOver("utterance"),
        v.WordsHeard("and another thing", settled=True),
        v.VoiceStarted(),
        v.WordsHeard("is this"),
        v.WaitOver("utterance"),
        v.WaitOver("words"),
    )
    assert isinstance(state, Thinking)
    turns = [command.text for command in commands if isinstance(command, v.TakeTurn)]
    assert turns == ["and another thing", "is this"]


def test_speech_through_a_protected_greeting_is_heard_from_its_end() -> None:
    """The turn after it is answered like any other."""
    manners = replace(MANNERS, greeting_interruptible=False)
    state, commands = play(
        QUIET,
        v.SessionOpened(greets=True),
        v.VoiceStarted(),
        v.ReplySounded(1),
        v.ReplyFinished(1),
        v.WordsHeard("are you there"),
        v.VoiceStopped(),
        v.WordsHeard("are you there", settled=True),
        v.TurnJudged(0.9),
        manners=manners,
    )
    assert isinstance(state, Thinking)
    told = [c for c in commands if not isinstance(c, v.Wait | v.StopWaiting | v.AskIfDone)]
    assert told == [
        v.StartReply(1, "greeting"),
        v.EndReply(1, interrupted=False),
        v.DropUtterance(),
        v.TellSpeechStarted(),
        v.TellWords("are you there"),
        v.TellSpeechStopped(),
        v.TakeTurn("are you there"),
        v.StartReply(2, "user_speech"),
    ]


def test_short_bursts_over_a_slow_recogniser_get_the_floor() -> None:
    """The agent does not talk on over one who says "no ... no ..." although nothing settles."""
    state: State = Speaking(Books(replies=1), 1)
    burst = (v.VoiceStarted(), v.WordsHeard("no"), v.VoiceStopped())
    state, commands = play(state, *burst, *burst)
    assert v.EndReply(1, interrupted=True) in commands
    assert not isinstance(state, moves.Replying)
