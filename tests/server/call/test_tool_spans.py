"""Calls of tools in a trace."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import ToolUse
from antiphon_server.call.tool_spans import MOST_CONTENT
from antiphon_server.call.tools import Returned
from server.call.traced_stage import ROOT, Stage, clock, said


def test_a_tool_belongs_to_the_turn_that_called_it_whenever_it_answers() -> None:
    """Before the turn is over, or after."""
    stage = Stage()
    stage.seconds = 100.5
    stage.trace.tools.called(1, ToolUse("call_1", "early", {}), False)
    stage.trace.tools.called(1, ToolUse("call_2", "late", {}), False)
    stage.seconds = 101.5
    stage.trace.tools.returned(Returned("call_1", "one", is_error=False))
    turn = stage.turn(said())
    stage.seconds = 110.0
    stage.trace.tools.returned(Returned("call_2", "two", is_error=True, timed_out=True))
    tools = stage.below(turn)
    early, late = tools["execute_tool early"], tools["execute_tool late"]
    assert early.end_ns - early.start_ns == pytest.approx(1e9, abs=2)
    assert late.end_ns - late.start_ns == pytest.approx(9.5e9, abs=2)
    assert (early.error, late.error) == (None, "timeout")
    assert early.attributes["gen_ai.tool.call.id"] == "call_1"
    assert early.attributes["gen_ai.operation.name"] == "execute_tool"


def test_a_tool_that_never_answers_ends_with_the_session() -> None:
    """Also one whose turn is not over; a result for nobody changes nothing."""
    stage = Stage()
    stage.trace.tools.called(1, ToolUse("call_1", "lost", {}), False)
    stage.trace.closed("client_left")
    lost = stage.kept.one("execute_tool lost")
    assert (lost.error, lost.parent_id) == ("cancelled", ROOT)
    count = len(stage.kept.spans)
    stage.trace.tools.returned(Returned("call_1", "one", is_error=False))
    stage.trace.tools.returned(Returned("call_9", "nine", is_error=False))
    assert len(stage.kept.spans) == count


def test_a_request_of_the_server_is_below_its_tool_and_tells_no_secret() -> None:
    """Method, host, port and status: neither path nor query."""
    stage = Stage()
    stage.trace.tools.called(1, ToolUse("call_1", "order", {}), True)
    stage.trace.asks("call_1", "POST", "https://tools.example:8443/secret?key=secret")
    stage.seconds += 0.25
    stage.trace.answered("call_1", 503, None)
    stage.trace.tools.returned(Returned("call_1", "no", is_error=True))
    turn = stage.turn(said())
    tool = stage.below(turn)["execute_tool order"]
    request = stage.below(tool)["POST"]
    assert request.kind == "client"
    assert request.end_ns - request.start_ns == pytest.approx(0.25e9, abs=2)
    assert request.attributes["server.address"] == "tools.example"
    assert request.attributes["server.port"] == 8443
    assert request.attributes["http.response.status_code"] == 503
    assert request.error == "503"
    assert "secret" not in str(stage.kept.spans)


def test_a_request_that_is_still_under_way_ends_with_its_tool() -> None:
    """A tool has timed out; its server may answer whenever it likes."""
    stage = Stage()
    stage.trace.tools.called(1, ToolUse("call_1", "order", {}), True)
    stage.trace.asks("call_1", "GET", "no address")
    stage.seconds += 10
    stage.trace.tools.returned(Returned("call_1", "", is_error=True, timed_out=True))
    stage.trace.answered("call_1", 200, None)
    stage.trace.asks("call_1", "GET", "no address")
    stage.trace.closed("client_ended")
    request, tool = stage.kept.one("GET"), stage.kept.one("execute_tool order")
    assert request.end_ns == tool.end_ns
    assert "server.address" not in request.attributes


@pytest.mark.parametrize("content", [True, False])
def test_arguments_and_results_are_in_a_trace_only_where_they_may_be(content: bool) -> None:
    """Cut where they are very long."""
    stage = Stage(tells_content=content)
    stage.trace.tools.called(1, ToolUse("call_1", "order", {"is": "canary"}), False)
    stage.trace.tools.returned(Returned("call_1", "canary" * MOST_CONTENT, is_error=False))
    tool = stage.below(stage.turn(said()))["execute_tool order"]
    assert ("canary" in str(stage.kept.spans)) == content
    if content:
        assert tool.attributes["gen_ai.tool.call.arguments"] == '{"is":"canary"}'
        assert len(str(tool.attributes["gen_ai.tool.call.result"])) == MOST_CONTENT


def test_a_call_of_a_later_turn_is_not_of_an_earlier_one() -> None:
    """Each belongs to the reply that made it."""
    stage = Stage()
    first = stage.turn(said())
    stage.trace.tools.called(2, ToolUse("call_2", "order", {}), False)
    stage.trace.tools.returned(Returned("call_2", "", is_error=False))
    second = stage.turn(said(clock(2, 200.0)))
    assert "execute_tool order" not in stage.below(first)
    assert "execute_tool order" in stage.below(second)
    assert stage.trace.tools.request_of("call_2") is None
