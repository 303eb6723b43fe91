"""A session's tools: what may be called, who runs it, and what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from antiphon_providers.interfaces import ToolSpec, ToolUse
from antiphon_server.arguments.check import Arguments
from antiphon_server.call import records as r
from antiphon_server.call.chronicle import Chronicle
from antiphon_server.call.http_tools import ToolOutcome
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.call.toolbox import MOST_INSTRUCTIONS, Toolbox
from antiphon_server.call.tools import MOST_OPEN_CALLS, TOO_MANY
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.memory import Memory
from server.call.twins import TARGET, HttpToolsTwin, RecorderTwin
from virtual_time import in_virtual_time

SCHEMA = {"properties": {"size": {"enum": ["small", "large"]}}, "required": ["size"]}
SETTINGS = CallSettings(
    tools=(
        CallTool(ToolSpec("ask", "", {}), timeout_ms=5_000, hold=True),
        CallTool(ToolSpec("fetch", "", {}), timeout_ms=7_000, http=TARGET),
        CallTool(ToolSpec("order", "", SCHEMA), arguments=Arguments(SCHEMA)),
        CallTool(ToolSpec("find", "", {"properties": {"order_number": {"type": "string"}}})),
    )
)


class Bench:
    """A toolbox on its own, with what it told whom."""

    def __init__(self, *outcomes: ToolOutcome, seconds: float = 0.0) -> None:
        self.memory = Memory()
        self.recorder = RecorderTwin()
        self.http = HttpToolsTwin(*outcomes, seconds=seconds)
        self.events: list[v.Event] = []
        chronicle = Chronicle("sess_1", self.recorder, asyncio.get_running_loop().time)
        self.box = Toolbox(self.memory, chronicle, self.events.append, self._spawn, self.http)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work, name=name)

    def use(self, name: str, call_id: str = "call_1", **arguments: Any) -> None:
        """The model makes a call in reply 1."""
        self.box.used(1, ToolUse(call_id, name, arguments), SETTINGS)

    def call(self, call_id: str = "call_1") -> ToolUse:
        """The conversation says that it is to be told."""
        use, recorded = self.box.call(v.TellToolCall(1, call_id), "resp_1", SETTINGS)
        assert recorded is not None
        assert recorded.done()
        return use

    @property
    def results(self) -> list[tuple[str, bool]]:
        """What the model would be told now."""
        messages = self.memory.prompt("", None, (), "").messages
        return [(m.content, m.is_error) for m in messages if m.role == "tool"]


@in_virtual_time
async def test_calls_and_results_are_told_to_who_asks_for_them() -> None:
    """Each call that is open with who runs it, and its one result; a refused one has a result
    only.
    """
    bench = Bench(ToolOutcome("seven"))
    called: list[tuple[int, str, bool]] = []
    returned: list[str] = []
    bench.box.called = lambda reply, use, ours: called.append((reply, use.name, ours))
    bench.box.returned = lambda result: returned.append(result.call_id)
    bench.use("ask")
    bench.call()
    bench.use("fetch", "call_2")
    bench.call("call_2")
    await asyncio.sleep(1)
    bench.box.timed_out("call_1")
    bench.use("nothing", "call_3")
    assert called == [(1, "ask", False), (1, "fetch", True)]
    assert returned == ["call_2", "call_1", "call_3"]


@in_virtual_time
async def test_a_good_call_is_noticed_with_its_time_and_its_mode() -> None:
    """Nobody runs it before the conversation says so."""
    bench = Bench()
    bench.use("ask")
    assert bench.events == [v.ToolUsed(1, "call_1", 5_000, hold=True)]
    bench.use("fetch", "call_2")
    assert bench.events[1] == v.ToolUsed(1, "call_2", 7_000)
    await asyncio.sleep(1)
    assert bench.http.asked == []
    assert bench.recorder.taken == []


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("nothing", {}, "there is no tool named 'nothing'. Tools: ask, fetch, order, find."),
        ("x" * 1000, {}, f"there is no tool named '{'x' * 64}'."),
        ("order", {}, "size"),
        ("order", {"size": "middling"}, "size"),
        ("find", {"order_number": "48213"}, "order_number"),
    ],
)
@in_virtual_time
async def test_a_bad_call_is_answered_to_the_model(
    name: str, arguments: dict[str, Any], why: str
) -> None:
    """On record like any result, and noticed without its id: nobody else knows of it."""
    bench = Bench()
    bench.use(name, **arguments)
    assert bench.events == [v.ToolRefused(1)]
    ((result, is_error),) = bench.results
    assert is_error
    assert why in result
    (record,) = bench.recorder.of(r.ToolReturned)
    assert (record.call_id, record.result, record.is_error) == ("call_1", result, True)


@in_virtual_time
async def test_what_to_do_about_a_refusal_is_told_once() -> None:
    """Of bad arguments; about a tool that is not there nothing can be asked."""
    bench = Bench()
    bench.use("nothing")
    assert bench.box.notes() == []
    bench.use("order", size="middling")
    (note,) = bench.box.notes()
    assert "'size'" in note
    assert bench.box.notes() == []


@pytest.mark.parametrize("by", ["user", "system", "tool", "prompt", "instructions"])
@in_virtual_time
async def test_an_argument_may_have_been_said_by_anybody(by: str) -> None:
    """But the model."""
    bench = Bench()
    settings = SETTINGS
    if by == "user":
        bench.memory.user_said("It is 48213.")
    elif by == "system":
        bench.memory.message_added("system", "Their order is 48213.")
    elif by == "tool":
        bench.use("ask", "call_0")
        bench.call("call_0")
        bench.box.answered_by_client("call_0", '{"order":"48213"}', is_error=False)
    elif by == "prompt":
        settings = CallSettings(system_prompt="The order is 48213.", tools=SETTINGS.tools)
    else:
        bench.box.instructed("Look for 48213.")
    bench.box.used(1, ToolUse("call_1", "find", {"order_number": "48213"}), settings)
    assert isinstance(bench.events[-1], v.ToolUsed)


@in_virtual_time
async def test_instructions_are_not_kept_for_ever() -> None:
    """The newest count."""
    bench = Bench()
    bench.box.instructed(None)
    bench.box.instructed("Look for 48213.")
    for number in range(MOST_INSTRUCTIONS):
        bench.box.instructed(f"Say {number}.")
    bench.use("find", order_number="48213")
    assert bench.events == [v.ToolRefused(1)]


@in_virtual_time
async def test_there_is_room_for_so_many_open_calls() -> None:
    """One that has its result makes room for one."""
    bench = Bench()
    for number in range(MOST_OPEN_CALLS + 1):
        bench.use("ask", f"call_{number}")
        if number < MOST_OPEN_CALLS:
            bench.call(f"call_{number}")
    assert bench.events[-1] == v.ToolRefused(1)
    assert bench.results[-1] == (TOO_MANY, True)
    bench.box.answered_by_client("call_3", "done", is_error=False)
    bench.use("ask", "call_99")
    assert bench.events[-1:] == [v.ToolUsed(1, "call_99", 5_000, hold=True)]


@in_virtual_time
async def test_a_call_of_the_client_waits_for_the_client() -> None:
    """Its one result is noticed, on record, and told to the model; any other changes nothing."""
    bench = Bench()
    bench.use("ask")
    assert bench.call() == ToolUse("call_1", "ask", {})
    assert [one.name for one in bench.recorder.of(r.ToolCalled)] == ["ask"]
    bench.box.answered_by_client("call_9", "unknown", is_error=False)
    assert len(bench.events) == 1
    bench.box.answered_by_client("call_1", "no", is_error=True)
    bench.box.answered_by_client("call_1", "yes", is_error=False)
    assert bench.events[1:] == [v.ToolAnswered("call_1")]
    assert bench.results == [("no", True)]
    assert [one.result for one in bench.recorder.of(r.ToolReturned)] == ["no"]
    assert bench.http.asked == []


@in_virtual_time
async def test_a_call_of_ours_is_run_here() -> None:
    """With its arguments and its time; what the client says of it is ignored."""
    bench = Bench(ToolOutcome("seven"), seconds=2)
    bench.use("fetch", city="Bern")
    bench.call()
    await asyncio.sleep(1)
    bench.box.answered_by_client("call_1", "eight", is_error=False)
    assert len(bench.events) == 1
    await asyncio.sleep(1.5)
    assert bench.http.asked == [(TARGET, {"city": "Bern"}, 7.0)]
    assert bench.events[1:] == [v.ToolAnswered("call_1")]
    assert bench.results == [("seven", False)]


@in_virtual_time
async def test_a_result_that_comes_too_late_is_none() -> None:
    """The conversation has been told that there is none, and so has the record."""
    bench = Bench(ToolOutcome("seven"), seconds=5)
    bench.use("fetch")
    bench.call()
    bench.box.timed_out("call_1")
    bench.box.timed_out("call_1")
    await asyncio.sleep(10)
    assert len(bench.events) == 1
    (record,) = bench.recorder.of(r.ToolReturned)
    assert (record.timed_out, record.is_error) == (True, True)


@in_virtual_time
async def test_an_id_that_is_used_again_is_another_call() -> None:
    """Some models count from the start in each reply: each call has its own result."""
    bench = Bench(ToolOutcome("first"), ToolOutcome("second"), seconds=2)
    bench.use("fetch")
    bench.call()
    await asyncio.sleep(1)
    bench.use("fetch")
    bench.call()
    await asyncio.sleep(1.5)
    assert v.ToolAnswered("call_1") not in bench.events
    await asyncio.sleep(1)
    assert bench.events.count(v.ToolAnswered("call_1")) == 1
    assert [one.result for one in bench.recorder.of(r.ToolReturned)] == ["second"]


@in_virtual_time
async def test_what_came_back_is_told_once() -> None:
    """Which tool, and whether it failed: a refused call is no outcome of any."""
    bench = Bench()
    bench.use("nothing")
    bench.use("ask")
    bench.call()
    bench.box.answered_by_client("call_1", "no", is_error=True)
    assert bench.box.outcomes() == [("ask", True)]
    assert bench.box.outcomes() == []
