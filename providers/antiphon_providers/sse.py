"""Server-sent events, as far as streaming models use them: bytes in, the events' data out.

Source: the WHATWG HTML standard, section 9.2.6 ("interpreting an event stream"). Lines end with
CR LF, LF or CR; comments and fields other than ``data`` mean nothing here. Beyond the standard,
everything is bounded and the text must be UTF-8, because the peer may be anybody.
"""

from __future__ import annotations

import re

from antiphon_providers.errors import Malformed

MAX_EVENT_BYTES = 1024 * 1024
"""For one line and for one event: a tool's arguments may come in one piece."""

MAX_STREAM_BYTES = 16 * 1024 * 1024
"""For one reply; a long one has some 5000 tokens of about 300 bytes."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = "\ufeff"


class EventReader:
    """Takes a stream's bytes as they come, cut anywhere."""

    def __init__(
        self, max_event_bytes: int = MAX_EVENT_BYTES, max_stream_bytes: int = MAX_STREAM_BYTES
    ) -> None:
        self._max_event_bytes = max_event_bytes
        self._max_stream_bytes = max_stream_bytes
        self._total = 0
        self._lines = 0
        self._line = bytearray()
        self._after_cr = False
        self._data: list[str] = []
        self._data_size = 0

    def feed(self, received: bytes) -> list[str]:
        """The data of the events that are complete now.

        Raises ``Malformed`` for text that is not UTF-8 and for what is longer than allowed.
        """
        self._total += len(received)
        if self._total > self._max_stream_bytes:
            raise Malformed(f"the stream is longer than {self._max_stream_bytes} bytes")
        if self._after_cr and received.startswith(b"\n"):
            received = received[1:]
            self._after_cr = False
        if received:
            self._after_cr = received.endswith(b"\r")
        pieces = _LINE_END.split(received)
        events: list[str] = []
        for piece in pieces[:-1]:
            self._extend(piece)
            self._end_line(events)
        self._extend(pieces[-1])
        return events

    def _extend(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > self._max_event_bytes:
            raise Malformed(f"a line is longer than {self._max_event_bytes} bytes")

    def _end_line(self, events: list[str]) -> None:
        try:
            line = self._line.decode()
        except UnicodeDecodeError:
            raise Malformed("the stream is not UTF-8") from None
        self._line.clear()
        if self._lines == 0:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        self._lines += 1
        if line:
            self._take(line)
        elif self._data:
            events.append("\n".join(self._data))
            self._data = []
            self._data_size = 0

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name != "data":
            return
        self._data.append(value.removeprefix(" "))
        self._data_size += len(value) + 1
        if self._data_size > self._max_event_bytes:
            raise Malformed(f"an event is longer than {self._max_event_bytes} bytes")
