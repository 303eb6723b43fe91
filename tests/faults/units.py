"""What a server says, cut into the pieces that matter: heads, WebSocket frames, chunks, bodies."""

from __future__ import annotations

from typing import Literal, NamedTuple

_END = b"\r\n\r\n"
_TEXT = 0x1
_CONTROL = 0x8

Kind = Literal["head", "text", "bytes", "control", "chunk", "last", "body"]


class Unit(NamedTuple):
    """A piece as it goes over the wire, and the payload in it."""

    kind: Kind
    raw: bytes
    payload: bytes = b""

    @property
    def is_data(self) -> bool:
        """Whether it carries something of the conversation."""
        return self.kind in {"text", "bytes", "chunk", "body"}

    def with_payload(self, payload: bytes) -> bytes:
        """The same piece with another payload, as it goes over the wire."""
        if self.kind == "chunk":
            return f"{len(payload):x}\r\n".encode() + payload + b"\r\n"
        if self.kind in {"text", "bytes"}:
            return self.raw[:1] + _length(len(payload)) + payload
        return payload[: len(self.raw)].ljust(len(self.raw), b" ")


class Cutter:
    """Cuts one connection's bytes; what is not complete waits."""

    def __init__(self) -> None:
        self._held = b""
        self._mode: Literal["head", "frames", "chunks", "body"] = "head"
        self._left = 0

    def feed(self, data: bytes) -> list[Unit]:
        """The pieces that are complete now."""
        self._held += data
        units: list[Unit] = []
        while (unit := self._next()) is not None:
            units.append(unit)
        return units

    def _next(self) -> Unit | None:
        match self._mode:
            case "head":
                return self._head()
            case "frames":
                return self._frame()
            case "chunks":
                return self._chunk()
        return self._body()

    def _take(self, size: int) -> bytes:
        raw, self._held = self._held[:size], self._held[size:]
        return raw

    def _head(self) -> Unit | None:
        end = self._held.find(_END)
        if end < 0:
            return None
        raw = self._take(end + len(_END))
        lines = raw.lower().split(b"\r\n")
        lengths = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
        if b" 101 " in lines[0]:
            self._mode = "frames"
        elif b"transfer-encoding: chunked" in lines:
            self._mode = "chunks"
        elif lengths and lengths[0]:
            self._mode, self._left = "body", lengths[0]
        return Unit("head", raw)

    def _frame(self) -> Unit | None:
        if len(self._held) < 2:
            return None
        size, head = self._held[1] & 0x7F, 2
        extended = {126: 2, 127: 8}.get(size, 0)
        if extended:
            size, head = int.from_bytes(self._held[2 : 2 + extended]), 2 + extended
        if len(self._held) < head + size:
            return None
        opcode = self._held[0] & 0xF
        kind: Kind = "text" if opcode == _TEXT else "control" if opcode & _CONTROL else "bytes"
        raw = self._take(head + size)
        return Unit(kind, raw, raw[head:])

    def _chunk(self) -> Unit | None:
        end = self._held.find(b"\r\n")
        size = int(self._held[:end], 16) if end > 0 else 0
        whole = end + 2 + size + 2
        if end < 0 or len(self._held) < whole:
            return None
        raw = self._take(whole)
        if not size:
            self._mode = "head"
            return Unit("last", raw)
        return Unit("chunk", raw, raw[end + 2 : -2])

    def _body(self) -> Unit | None:
        if not self._held:
            return None
        raw = self._take(self._left)
        self._left -= len(raw)
        if not self._left:
            self._mode = "head"
        return Unit("body", raw, raw)


def _length(size: int) -> bytes:
    if size < 126:
        return bytes([size])
    return b"\x7e" + size.to_bytes(2) if size < 1 << 16 else b"\x7f" + size.to_bytes(8)
