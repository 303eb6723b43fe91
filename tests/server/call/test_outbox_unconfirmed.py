"""A client that takes everything and never says so."""

from __future__ import annotations

import pytest

from antiphon_server.call.dialect import Frame
from antiphon_server.call.outbox import MOST_UNCONFIRMED, ClientStalled
from server.call.outbox_wire import Wire
from virtual_time import in_virtual_time


@in_virtual_time
async def test_a_client_that_confirms_nothing_is_not_remembered_for_without_end() -> None:
    """What may have to be sent again is kept, so there must be an end to it; all of it is still
    there for a client that comes back.
    """
    line = Wire()
    for number in range(MOST_UNCONFIRMED + 1):
        line.outbox.tell(Frame(str(number), number + 1))
    with pytest.raises(ClientStalled):
        await line.outbox.run(line, lambda _reply, _audio: "", lambda *_sent: None)
    line.outbox.drop()
    line.outbox.reconnect([], None, lambda frame: frame)
    line.outbox.close()
    line.frames.clear()
    line.can_tell = False
    await line.outbox.run(line, lambda _reply, _audio: "", lambda *_sent: None)
    assert len(line.frames) == MOST_UNCONFIRMED + 1
