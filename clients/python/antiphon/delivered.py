"""Which lasting events of a call have come already, so that none is told twice.

After a resume a server sends again what may not have arrived.
"""

from __future__ import annotations

from collections import deque

from antiphon.events import (
    AgentTranscript,
    Event,
    ReplyDone,
    ReplyStarted,
    ToolCall,
    UserTranscript,
)

REMEMBERED = 256
"""Events: those of some fifty turns; a server sends again what is seconds old."""

_ID = {
    UserTranscript: "item_id",
    ReplyStarted: "reply_id",
    AgentTranscript: "reply_id",
    ReplyDone: "reply_id",
    ToolCall: "call_id",
}


class Delivered:
    """``last_seq`` is the highest number of a lasting event; 0 while the server numbers none."""

    def __init__(self) -> None:
        self.last_seq = 0
        self._known: deque[tuple[type[Event], str]] = deque(maxlen=REMEMBERED)

    def is_new(self, event: Event) -> bool:
        """Takes note of an event; False for one that came before."""
        seq = getattr(event, "seq", None)
        if isinstance(seq, int):
            if seq <= self.last_seq:
                return False
            self.last_seq = seq
        name = _ID.get(type(event))
        if name is None:
            return True
        mark = (type(event), getattr(event, name))
        if mark in self._known:
            return False
        self._known.append(mark)
        return True
