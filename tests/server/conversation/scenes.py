"""Short scenes of a conversation: what follows from a state and a few events."""

from __future__ import annotations

from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners, Patience
from antiphon_server.conversation.states import (
    Books,
    Call,
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

MANNERS = Manners(
    patience=Patience(done=200, hanging=800, doubtful=900, open=1000),
    pause_ms=200,
    done_above=0.5,
    certain_above=0.92,
)
"""With a patience of its own: tuning the default one is no reason to change a scene."""
BOOKS = Books(replies=1)
"""Of a call whose first reply is the current one."""
CALLING = Books(replies=1, calls=(Call("a", 1),))
"""The current reply has called a tool."""

QUIET = Quiet()
THINKING = Thinking(BOOKS, 1)
SPEAKING = Speaking(BOOKS, 1)
CONTESTED = Contested(BOOKS, 1)
DOUBTFUL = Doubtful(BOOKS, 1)
WAITING = Waiting(CALLING, 1)
REPLYING = (THINKING, SPEAKING, CONTESTED, DOUBTFUL, WAITING)
ALIVE = (QUIET, Listening(), Pausing(), *REPLYING, Detached())
EVERY = (*ALIVE, Over())
FAILURE = v.Failure("llm_provider_error", "no answer")

CLOSING = (
    v.StopWaiting("first_sound"),
    v.StopWaiting("reply"),
    v.StopWaiting("grace"),
    v.StopWaiting("insist"),
)
"""The timers of a reply, which end with it."""


def play(
    state: State, *events: v.Event, manners: Manners = MANNERS
) -> tuple[State, list[v.Command]]:
    """The state after the events, and all that was to be done."""
    commands: list[v.Command] = []
    for event in events:
        state, more = machine.step(state, event, manners)
        commands += more
    return state, commands


def happens(
    state: State, *events: v.Event, manners: Manners = MANNERS
) -> tuple[State, list[v.Command]]:
    """As ``play``, without the timers."""
    state, commands = play(state, *events, manners=manners)
    return state, [c for c in commands if not isinstance(c, v.Wait | v.StopWaiting)]


def timers(state: State, *events: v.Event, manners: Manners = MANNERS) -> dict[str, int | None]:
    """What each timer was last set to, in milliseconds; None where it was stopped."""
    _, commands = play(state, *events, manners=manners)
    last: dict[str, int | None] = {}
    for command in commands:
        if isinstance(command, v.Wait):
            last[command.timer] = command.ms
        elif isinstance(command, v.StopWaiting):
            last[command.timer] = None
    return last
