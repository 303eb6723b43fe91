"""Tools that the server runs itself (protocol section 4.7), in whole calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.session_config import Tool
from antiphon_providers.interfaces import Said
from antiphon_server.call.http_tools import ToolOutcome
from antiphon_server.call.records import ToolCalled, ToolReturned
from server.call.scripted_call import Stages, calling, script, silent, stt, used, voiced
from server.call.twins import TARGET, HttpToolsTwin, RecorderTwin, bound
from virtual_time import in_virtual_time

SEVEN = ToolOutcome("seven")


@in_virtual_time
async def test_the_server_runs_the_tool_and_the_client_is_told() -> None:
    """``tool.call`` for information, inside the open reply; the answer follows by itself."""
    tools = HttpToolsTwin(SEVEN, seconds=0.5)
    model = script([used("call_1", city="Bern")], [Said("It is seven.")])
    recorder = RecorderTwin()
    async with calling(Stages(llm=model, http_tools=tools, recorder=recorder)) as caller:
        await caller.bind(bound())
        caller.tell(wire.AddMessage("user", "In Bern?"), wire.CreateReply())
        call = await caller.until(wire.ToolCall)
        assert (call.name, call.arguments) == ("look_up", {"city": "Bern"})
        await caller.until(wire.AgentTranscript)
        assert caller.kinds[2:6] == ["reply.started", "tool.call", "reply.done", "reply.started"]
        assert caller.when(wire.ReplyDone)[0] - caller.when(wire.ToolCall)[0] == pytest.approx(0.5)
    assert tools.asked == [(TARGET, {"city": "Bern"}, 120.0)]
    (result,) = [message for message in model.prompts[1].messages if message.role == "tool"]
    assert (result.content, result.is_error) == ("seven", False)
    assert [record.arguments for record in recorder.of(ToolCalled)] == [{"city": "Bern"}]
    assert [record.result for record in recorder.of(ToolReturned)] == ["seven"]


@in_virtual_time
async def test_what_the_client_answers_is_ignored() -> None:
    """Without an error (section 4.7): the result is the tool's own."""
    tools = HttpToolsTwin(SEVEN, seconds=1)
    model = script([used("call_1")], [Said("It is seven.")])
    async with calling(Stages(llm=model, http_tools=tools)) as caller:
        await caller.bind(bound())
        caller.tell(wire.CreateReply())
        call = await caller.until(wire.ToolCall)
        caller.tell(wire.GiveToolResult(call.call_id, "eight"))
        await caller.until(wire.AgentTranscript)
        caller.tell(wire.GiveToolResult(call.call_id, "nine"))
        await asyncio.sleep(10)
        assert caller.heard(wire.SessionError) == []
        assert len(caller.heard(wire.ReplyStarted)) == 2
    (result,) = [message for message in model.prompts[1].messages if message.role == "tool"]
    assert result.content == "seven"


@in_virtual_time
async def test_each_call_has_the_time_of_its_tool() -> None:
    """What comes later is no result: the conversation has gone on."""
    tools = HttpToolsTwin(SEVEN, seconds=20)
    model = script([used("call_1")], [Said("I do not know.")])
    async with calling(Stages(llm=model, http_tools=tools)) as caller:
        await caller.bind(bound(timeout_seconds=5))
        caller.tell(wire.CreateReply())
        await caller.until(wire.ToolCall)
        await caller.until(wire.AgentTranscript)
        assert caller.when(wire.ReplyStarted)[1] - caller.when(wire.ToolCall)[0] == pytest.approx(5)
        await asyncio.sleep(60)
        assert len(caller.heard(wire.ReplyStarted)) == 2
    assert [seconds for _, _, seconds in tools.asked] == [5.0]
    (result,) = [message for message in model.prompts[1].messages if message.role == "tool"]
    assert result.is_error


@in_virtual_time
async def test_a_tool_that_fails_is_told_to_the_model() -> None:
    """As an error, which the agent speaks of; the client sees a reply like any other."""
    tools = HttpToolsTwin(ToolOutcome("The tool could not be reached.", is_error=True))
    model = script([used("call_1")], [Said("I could not reach it.")])
    async with calling(Stages(llm=model, http_tools=tools)) as caller:
        await caller.bind(bound())
        caller.tell(wire.CreateReply())
        await caller.until(wire.AgentTranscript)
        assert caller.heard(wire.ReplyError) == []
    (result,) = [message for message in model.prompts[1].messages if message.role == "tool"]
    assert (result.content, result.is_error) == ("The tool could not be reached.", True)


@in_virtual_time
async def test_what_breaks_in_running_a_tool_costs_that_call_alone() -> None:
    """The model is told that it could not be run, and the session goes on."""

    class Broken(HttpToolsTwin):
        async def run(self, *_request: Any, **_how: Any) -> ToolOutcome:
            raise ZeroDivisionError

    model = script([used("call_1")], [Said("I could not do it.")])
    async with calling(Stages(llm=model, http_tools=Broken())) as caller:
        await caller.bind(bound())
        caller.tell(wire.CreateReply())
        await caller.until(wire.AgentTranscript)
    (result,) = [message for message in model.prompts[1].messages if message.role == "tool"]
    assert result.is_error
    assert "ZeroDivision" not in result.content


@in_virtual_time
async def test_parallel_calls_are_run_at_once_and_answered_together() -> None:
    """Also where one is the client's."""
    tools = HttpToolsTwin(SEVEN, SEVEN, seconds=1)
    uses = [used("ours_1"), used("ours_2"), used("theirs", "ask")]
    model = script(uses, [Said("All done.")])
    agent = bound()
    mixed = replace(agent, config=replace(agent.config, tools=(*agent.config.tools, Tool("ask"))))
    async with calling(Stages(llm=model, http_tools=tools)) as caller:
        await caller.bind(mixed)
        caller.tell(wire.CreateReply())
        await caller.until(wire.ToolCall)
        await asyncio.sleep(1.5)
        assert len(tools.asked) == 2
        assert len(caller.heard(wire.ReplyStarted)) == 1
        caller.tell(wire.GiveToolResult("theirs", "yes"))
        await caller.until(wire.AgentTranscript)
        assert caller.when(wire.ReplyStarted)[1] - caller.when(wire.ToolCall)[0] == pytest.approx(
            1.5
        )


@in_virtual_time
async def test_an_interruption_neither_loses_a_result_nor_runs_a_call_twice() -> None:
    """The user speaks over the reply while the tool runs; the next reply knows the result."""
    tools = HttpToolsTwin(SEVEN, seconds=4)
    model = script(
        [Said("One moment, I am going to look that up for you right now."), used("call_1")],
        [Said("It is seven, by the way.")],
        [Said("It is seven, as I said.")],
    )
    stages = Stages(llm=model, http_tools=tools, stt=stt(utterances="and make it quick please"))
    async with calling(stages) as caller:
        await caller.bind(bound())
        caller.tell(wire.CreateReply())
        await caller.until(wire.ToolCall)
        await caller.play(voiced(1400) + silent(1000))
        await caller.until(wire.ReplyDone)
        await asyncio.sleep(20)
        assert caller.heard(wire.ReplyDone)[0].status == "interrupted"
        assert len(tools.asked) == 1
        assert tools.cancelled == 0
        told = [message.content for message in model.prompts[-1].messages]
        assert any("seven" in content for content in told)
        assert len(caller.heard(wire.ReplyStarted)) == len(caller.heard(wire.ReplyDone)) == 3


@in_virtual_time
async def test_a_tool_that_runs_when_the_session_ends_is_given_up() -> None:
    """Nobody is there to be told."""
    tools = HttpToolsTwin(SEVEN, seconds=60)
    model = script([used("call_1")])
    async with calling(Stages(llm=model, http_tools=tools)) as caller:
        await caller.bind(bound())
        caller.tell(wire.CreateReply())
        await caller.until(wire.ToolCall)
        caller.tell(wire.EndSession())
        assert await caller.ended() == 1000
    assert tools.cancelled == 1


@in_virtual_time
async def test_a_tool_of_the_client_that_takes_the_name_is_the_clients() -> None:
    """A later update may replace the tools; what has no address is not run here."""
    tools = HttpToolsTwin(SEVEN)
    model = script([used("call_1")], [Said("It is eight.")])
    async with calling(Stages(llm=model, http_tools=tools)) as caller:
        await caller.bind(bound())
        caller.update(tools=[{"type": "function", "name": "look_up", "parameters": {}}])
        caller.tell(wire.CreateReply())
        call = await caller.until(wire.ToolCall)
        await asyncio.sleep(5)
        caller.tell(wire.GiveToolResult(call.call_id, "eight"))
        await caller.until(wire.AgentTranscript)
    assert tools.asked == []
