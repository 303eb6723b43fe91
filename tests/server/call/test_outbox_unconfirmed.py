"""A client that takes everything and never says so."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_server.call.dialect import Frame
from antiphon_server.call.outbox import MOST_UNCONFIRMED, ClientStalled
from server.call.outbox_wire import sending
from virtual_time import in_virtual_time


@in_virtual_time
async def test_a_client_that_confirms_nothing_is_not_remembered_for_without_end() -> None:
    """What may have to be sent again is kept, so there must be an end to it; one that confirms
    at last is told more.
    """
    async with sending() as line:
        for number in range(MOST_UNCONFIRMED + 1):
            line.outbox.tell(Frame(str(number), number + 1))
            await asyncio.sleep(0)
        await asyncio.sleep(1)
        with pytest.raises(ClientStalled):
            line.outbox.tell(Frame("one more", MOST_UNCONFIRMED + 2))
        await asyncio.sleep(1)
        for passed in line.marks:
            passed()
        line.outbox.tell(Frame("now", MOST_UNCONFIRMED + 3))
    assert line.frames[-1][1] == "now"
