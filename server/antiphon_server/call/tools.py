"""Tool calls and their results: one ledger that outlives the replies that made the calls."""

from __future__ import annotations

from msgspec import Struct

from antiphon_providers.interfaces import ToolUse
from antiphon_server.conversation.memory import Memory
from antiphon_server.observe import metrics

TIMED_OUT = "The tool did not answer in time."
MOST_RESULT_CHARACTERS = 65_536
"""Of one result, as the model is told it with every later reply."""
CUT = " … (cut: the result was longer)"
MOST_OPEN_CALLS = 16
"""A model that makes more at once is in a loop."""
TOO_MANY = "Not called: too many calls are waiting for their results."


class Returned(Struct, frozen=True):
    """A call's one result."""

    call_id: str
    result: str
    is_error: bool
    timed_out: bool = False


class ToolLedger:
    """The open calls of a session. A result is taken once; a later one is ignored."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._made: dict[str, ToolUse] = {}
        self._open: dict[str, ToolUse] = {}
        self._ours: set[str] = set()
        self._outcomes: list[tuple[str, bool]] = []

    @property
    def is_full(self) -> bool:
        """Whether no further call may be made until one is answered."""
        return len(self._open) + len(self._made) >= MOST_OPEN_CALLS

    def waiting(self, call_id: str) -> ToolUse:
        """A call that was made and is not ``called`` yet."""
        return self._made[call_id]

    def made(self, use: ToolUse) -> None:
        """The model made a call; it counts once it is ``called``."""
        self._made[use.call_id] = use

    def refused(self, reply: int, use: ToolUse, why: str) -> Returned:
        """The model made a call as it may not: only the model learns of it."""
        metrics.TOOL_CALLS.labels("refused").inc()
        self._memory.tool_used(reply, use)
        self._memory.tool_answered(use.call_id, why, is_error=True)
        return Returned(use.call_id, why, is_error=True)

    def called(self, reply: int, call_id: str, *, ours: bool = False) -> ToolUse:
        """The call is valid and open: remembered, and waiting for its result.

        ``ours``: the server runs it, and takes no result from the client.
        """
        use = self._made.pop(call_id)
        self._open[call_id] = use
        if ours:
            self._ours.add(call_id)
        else:
            self._ours.discard(call_id)
        self._memory.tool_used(reply, use)
        return use

    def waits_for(self, use: ToolUse) -> bool:
        """Whether this very call has no result yet."""
        return self._open.get(use.call_id) is use

    def answered_by_client(self, call_id: str, result: str, *, is_error: bool) -> Returned | None:
        """As ``answered``, for a call that is the client's to run."""
        if call_id in self._ours:
            return None
        return self.answered(call_id, result, is_error=is_error)

    def answered(self, call_id: str, result: str, *, is_error: bool) -> Returned | None:
        """Takes a result; None for a call that is unknown or has one already."""
        if len(result) > MOST_RESULT_CHARACTERS:
            result = result[:MOST_RESULT_CHARACTERS] + CUT
        return self._close(Returned(call_id, result, is_error), "error" if is_error else "result")

    def timed_out(self, call_id: str) -> Returned | None:
        """No result came in time."""
        returned = Returned(call_id, TIMED_OUT, is_error=True, timed_out=True)
        return self._close(returned, "timeout")

    def _close(self, returned: Returned, outcome: str) -> Returned | None:
        use = self._open.pop(returned.call_id, None)
        if use is None:
            return None
        metrics.TOOL_CALLS.labels(outcome).inc()
        self._outcomes.append((use.name, returned.is_error))
        self._memory.tool_answered(returned.call_id, returned.result, is_error=returned.is_error)
        return returned

    def outcomes(self) -> list[tuple[str, bool]]:
        """The tools that were answered since this was last asked, and whether they failed."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes
