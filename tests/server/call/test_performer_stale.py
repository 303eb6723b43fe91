"""What a reply does that is over already."""

from __future__ import annotations

import asyncio

from antiphon_providers.interfaces import ToolUse
from antiphon_server.call import records as r
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.tools import MOST_OPEN_CALLS
from antiphon_server.conversation import vocabulary as v
from server.call.scripted_call import llm
from server.call.test_performer import TOOLS, Bench
from virtual_time import in_virtual_time


@in_virtual_time
async def test_a_reply_that_was_cut_calls_no_tool_any_more() -> None:
    """Its call would never be told, nor answered, and would take up room for ever; nor is a
    refusal of it put into the history.
    """
    bench = Bench(CallSettings(tools=TOOLS), llm=llm(replies="Well.", first_token_ms=5_000))
    bench.perform(v.StartReply(1, "user_speech"))
    bench.perform(v.EndReply(1, interrupted=True), v.StartReply(2, "user_speech"))
    for number in range(MOST_OPEN_CALLS):
        bench.performer._tool_used(1, ToolUse(f"call_{number}", "ask", {}))
    bench.performer._tool_used(1, ToolUse("call_x", "made_up", {}))
    assert bench.events == []
    assert bench.recorder.of(r.ToolReturned) == []
    bench.performer._tool_used(2, ToolUse("call_y", "ask", {}))
    assert [type(event) for event in bench.events] == [v.ToolUsed]
    bench.perform(v.EndReply(2, interrupted=True))
    await asyncio.wait(bench.tasks)
