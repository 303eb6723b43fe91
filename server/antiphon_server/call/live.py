"""A call that goes on, as its operator sees it, whenever somebody looks."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from antiphon_server.call.chronicle import Chronicle, SoFar
from antiphon_server.conversation import states

PHASES = (
    "greeting",
    "listening",
    "hearing",
    "thinking",
    "speaking",
    "tools",
    "detached",
    "ending",
)
"""What a call is doing, in words for people."""

_PHASES: dict[type[states.State], str] = {
    states.Quiet: "listening",
    states.Listening: "hearing",
    states.Pausing: "hearing",
    states.Thinking: "thinking",
    states.Speaking: "speaking",
    states.Contested: "speaking",
    states.Doubtful: "speaking",
    states.Waiting: "tools",
    states.Detached: "detached",
    states.Over: "ending",
}


class Live(Struct, frozen=True, kw_only=True):
    """One call."""

    id: str
    agent_id: str | None
    phase: str
    """One of ``PHASES``."""
    phase_ms: float
    """For how long."""
    seconds: float
    """Since ``session.ready``."""
    so_far: SoFar
    providers: dict[str, str]


class Watch:
    """Which phase one call is in, and since when. ``now`` gives seconds of its clock."""

    def __init__(self, session_id: str, state: states.State, now: Callable[[], float]) -> None:
        self._session_id = session_id
        self._state = state
        self._now = now
        self._since = now()

    def stepped(self, state: states.State) -> None:
        """The conversation took a step."""
        if type(state) is not type(self._state):
            self._since = self._now()
        self._state = state

    def look(self, agent_id: str | None, chronicle: Chronicle, providers: dict[str, str]) -> Live:
        """The call as it is now."""
        now = self._now()
        return Live(
            id=self._session_id,
            agent_id=agent_id,
            phase=phase(self._state),
            phase_ms=1000 * (now - self._since),
            seconds=chronicle.ms(now) / 1000,
            so_far=chronicle.so_far,
            providers=providers,
        )


def phase(state: states.State) -> str:
    """One of ``PHASES``."""
    if isinstance(state, states.Thinking | states.Speaking) and state.trigger == "greeting":
        return "greeting"
    if isinstance(state, states.Quiet) and state.books.calls:
        return "tools"
    return _PHASES[type(state)]
