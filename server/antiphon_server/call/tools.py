"""Tool calls and their results: one ledger that outlives the replies that made the calls."""

from __future__ import annotations

from antiphon_providers.interfaces import ToolUse
from antiphon_server.conversation.memory import Memory
from antiphon_server.observe import metrics

TIMED_OUT = "The tool did not answer in time."


class ToolLedger:
    """The open calls of a session. A result is taken once; a later one is ignored."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._made: dict[str, ToolUse] = {}
        self._open: dict[str, ToolUse] = {}
        self._outcomes: list[tuple[str, bool]] = []

    def made(self, use: ToolUse) -> None:
        """The model made a call; it counts once it is ``called``."""
        self._made[use.call_id] = use

    def called(self, reply: int, call_id: str) -> ToolUse:
        """The call is valid and open: remembered, and waiting for its result."""
        use = self._made.pop(call_id)
        self._open[call_id] = use
        self._memory.tool_used(reply, use)
        return use

    def answered(self, call_id: str, result: str, *, is_error: bool) -> bool:
        """Takes a result; False for a call that is unknown or has one already."""
        return self._close(call_id, result, "error" if is_error else "result")

    def timed_out(self, call_id: str) -> None:
        """No result came in time."""
        self._close(call_id, TIMED_OUT, "timeout")

    def _close(self, call_id: str, result: str, outcome: str) -> bool:
        use = self._open.pop(call_id, None)
        if use is None:
            return False
        metrics.TOOL_CALLS.labels(outcome).inc()
        is_error = outcome != "result"
        self._outcomes.append((use.name, is_error))
        self._memory.tool_answered(call_id, result, is_error=is_error)
        return True

    def outcomes(self) -> list[tuple[str, bool]]:
        """The tools that were answered since this was last asked, and whether they failed."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes
