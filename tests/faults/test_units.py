"""A server's bytes are cut at what they mean, however they are divided."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from faults.units import Cutter, Unit

HTTP = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n3\r\n\r\n!\r\n0\r\n\r\n"
    b"HTTP/1.1 404 No\r\ncontent-length: 4\r\n\r\nbodyHTTP/1.1 204 No\r\n\r\n"
)
SOCKET = (
    b"HTTP/1.1 101 Switching\r\n\r\n\x81\x05hello\x82\x7e\x01\x00" + bytes(256) + b"\x88\x00"
    b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + bytes(65536)
)


def cut(data: bytes, *, at: int) -> list[Unit]:
    """The pieces of data that comes in two parts."""
    cutter = Cutter()
    return cutter.feed(data[:at]) + cutter.feed(data[at:])


@given(st.integers(0, len(HTTP)))
def test_http_answers_are_cut_into_heads_and_chunks(at: int) -> None:
    """Several on one connection; a body may come in parts."""
    units = cut(HTTP, at=at)
    kinds = ["head", "chunk", "chunk", "last", "head", "body", "head"]
    told = [unit.kind for unit in units]
    assert [kind for n, kind in enumerate(told) if kind != "body" or told[n - 1] != "body"] == kinds
    assert b"".join(unit.raw for unit in units) == HTTP
    assert [unit.payload for unit in units if unit.kind == "chunk"] == [b"hello", b"\r\n!"]


@given(st.integers(0, 400))
def test_frames_are_cut_whatever_their_length_is(at: int) -> None:
    """RFC 6455, section 5.2: lengths of 7, 16 and 64 bits."""
    units = cut(SOCKET, at=at)
    assert [unit.kind for unit in units] == ["head", "text", "bytes", "control", "bytes"]
    assert [len(unit.payload) for unit in units] == [0, 5, 256, 0, 65536]
    assert b"".join(unit.raw for unit in units) == SOCKET


def test_a_payload_can_be_replaced() -> None:
    """And is well framed again."""
    for data, kind in ((HTTP, "chunk"), (SOCKET, "text"), (SOCKET, "bytes")):
        units = Cutter().feed(data)
        unit = next(one for one in units if one.kind == kind)
        for payload in (b"", b"other", bytes(200), bytes(70_000)):
            cutter = Cutter()
            cutter.feed(units[0].raw)
            (again, *_) = cutter.feed(unit.with_payload(payload))
            if payload or kind != "chunk":
                assert again.payload == payload
            assert again.is_data or (kind == "chunk" and not payload)
