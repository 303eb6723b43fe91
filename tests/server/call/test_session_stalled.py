"""A client that is sent more than it reads."""

from __future__ import annotations

import asyncio

from antiphon_protocol import voice_agent as wire
from antiphon_server.call.outbox import MOST_WAITING_BYTES
from server.call.scripted_call import Line, calling
from virtual_time import in_virtual_time

PROMPT = "x" * 100_000


@in_virtual_time
async def test_a_client_that_leaves_too_much_unread_loses_its_socket_not_its_session() -> None:
    """The socket is closed, so that whoever reads again one day comes back; it is 1011, on which
    clients resume (section 4.11).
    """
    async with calling(system_prompt="p", resume_seconds=30) as caller:
        slow = caller.line
        slow.reads.clear()
        for _ in range(MOST_WAITING_BYTES // len(PROMPT) + 2):
            caller.update(system_prompt=PROMPT)
        await asyncio.sleep(1)
        assert slow.closed == 1011
        assert not caller.session.is_over
        caller.line = Line()
        caller.session.take_over(caller.line, None)
        caller.read(caller.line)
        caller.tell(wire.EndSession())
        assert await caller.ended() == 1000
        slow.coming.put_nowait(None)
