"""A session's tools: what may be called, who runs it, and what came back.

A call that may not be made is refused before anybody but the model learns of it. Tools with an
address are run here; all others are the client's. A barge-in ends a reply, never a call.
Source: voice agent protocol, sections 3.3 and 4.5 to 4.7.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from antiphon_providers.interfaces import ToolUse
from antiphon_server.arguments.evidence import Sources
from antiphon_server.arguments.grounding import ungrounded
from antiphon_server.arguments.problems import Problem
from antiphon_server.arguments.refusals import ask_note, refusal_text
from antiphon_server.call.chronicle import Chronicle, Durable
from antiphon_server.call.http_tools import HttpTarget, HttpTools, ToolOutcome
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.call.tools import TOO_MANY, Returned, ToolLedger
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.memory import Memory
from antiphon_server.observe import notes

BROKE = "The tool could not be run."
MOST_INSTRUCTIONS = 20
"""Of ``reply.create``, the newest: they are in no history."""

log = structlog.get_logger()

Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


class Toolbox:
    """The tools of one session."""

    def __init__(
        self,
        memory: Memory,
        chronicle: Chronicle,
        notice: Callable[[v.Event], None],
        spawn: Spawn,
        http_tools: HttpTools | None,
    ) -> None:
        self._memory = memory
        self._ledger = ToolLedger(memory)
        self._chronicle = chronicle
        self._notice = notice
        self._spawn = spawn
        self._http_tools = http_tools
        self._instructions: deque[str] = deque(maxlen=MOST_INSTRUCTIONS)
        self._notes: list[str] = []
        self.called: Callable[[int, ToolUse, bool], None] = lambda _reply, _use, _ours: None
        """Is told of each call that is open, and whether the server runs it."""
        self.returned: Callable[[Returned], None] = lambda _returned: None
        """Is told of each result."""

    def used(self, reply: int, use: ToolUse, settings: CallSettings) -> None:
        """The model calls a tool, arguments complete."""
        tool = settings.tool(use.name)
        if tool is None:
            self._refuse(reply, use, _unknown(use.name, settings))
        elif self._ledger.is_full:
            self._refuse(reply, use, TOO_MANY)
        elif (wrong := self._wrong(use, tool, settings)) is not None:
            problems, unsaid = wrong
            self._notes.append(ask_note(problems, unsaid))
            self._refuse(reply, use, refusal_text(problems, unsaid))
        else:
            self._ledger.made(use)
            self._notice(v.ToolUsed(reply, use.call_id, tool.timeout_ms, tool.hold))

    def _refuse(self, reply: int, use: ToolUse, why: str) -> None:
        self._record(self._ledger.refused(reply, use, why))
        self._notice(v.ToolRefused(reply))

    def _wrong(
        self, use: ToolUse, tool: CallTool, settings: CallSettings
    ) -> tuple[tuple[Problem, ...], tuple[str, ...]] | None:
        """What is wrong with a call's arguments, and what of them nobody said; None for neither."""
        problems = () if tool.arguments is None else tool.arguments.check(use.arguments)
        memory = self._memory
        sources = Sources(
            memory.said_by_user(),
            memory.told_by_tools(),
            (
                settings.system_prompt,
                settings.greeting or "",
                *memory.told_by_system(),
                *self._instructions,
            ),
        )
        unsaid = ungrounded(use.arguments, tool.spec.parameters, sources, settings.grounding)
        return (problems, unsaid) if problems or unsaid else None

    def instructed(self, instructions: str | None) -> None:
        """A reply was asked for with these instructions: what is in them was said."""
        if instructions is not None:
            self._instructions.append(instructions)

    def notes(self) -> list[str]:
        """What the model should do about calls that were refused since this was last asked."""
        notes, self._notes = self._notes, []
        return notes

    def call(
        self, command: v.TellToolCall, reply_id: str, settings: CallSettings
    ) -> tuple[ToolUse, Durable]:
        """The call is valid and open; one that the server runs is started."""
        use = self._ledger.waiting(command.call_id)
        tool = settings.tool(use.name)
        target = None if tool is None else tool.http
        self._ledger.called(command.reply, command.call_id, ours=target is not None)
        self.called(command.reply, use, target is not None)
        recorded = self._chronicle.tool_called(reply_id, use)
        if tool is not None and target is not None and self._http_tools is not None:
            work = self._run(self._http_tools, target, use, tool.timeout_ms / 1000)
            self._spawn(work, f"tool-{use.call_id}")
        return use, recorded

    async def _run(
        self, tools: HttpTools, target: HttpTarget, use: ToolUse, timeout_s: float
    ) -> None:
        notes.calling(use.call_id)
        try:
            outcome = await tools.run(target, use.arguments, timeout_s)
        except Exception:
            log.exception("tool broke", tool=use.name)
            outcome = ToolOutcome(BROKE, is_error=True)
        # A model may have given the id to another call meanwhile.
        if self._ledger.waits_for(use):
            result, is_error = outcome.result, outcome.is_error
            self._answered(self._ledger.answered(use.call_id, result, is_error=is_error))

    def answered_by_client(self, call_id: str, result: str, *, is_error: bool) -> None:
        """A result from the client; ignored where the call is not open, or not its to run."""
        self._answered(self._ledger.answered_by_client(call_id, result, is_error=is_error))

    def timed_out(self, call_id: str) -> None:
        """No result came in time; the conversation knows."""
        self._record(self._ledger.timed_out(call_id))

    def outcomes(self) -> list[tuple[str, bool]]:
        """As ``ToolLedger.outcomes``."""
        return self._ledger.outcomes()

    def _answered(self, returned: Returned | None) -> None:
        if returned is not None:
            self._record(returned)
            self._notice(v.ToolAnswered(returned.call_id))

    def _record(self, returned: Returned | None) -> None:
        if returned is not None:
            self.returned(returned)
            self._chronicle.tool_returned(
                returned.call_id,
                returned.result,
                is_error=returned.is_error,
                timed_out=returned.timed_out,
            )


def _unknown(name: str, settings: CallSettings) -> str:
    known = ", ".join(tool.spec.name for tool in settings.tools) or "none"
    return f"Not called: there is no tool named {name[:64]!r}. Tools: {known}."
