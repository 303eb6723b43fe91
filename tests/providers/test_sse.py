"""How a stream's bytes become events, whatever the peer sends."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.errors import Malformed
from antiphon_providers.sse import EventReader


def read(*pieces: bytes, **limits: int) -> list[str]:
    """All events of the pieces."""
    reader = EventReader(**limits)
    return [event for piece in pieces for event in reader.feed(piece)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_line_end_of_the_standard_ends_a_line(end: bytes) -> None:
    """LF, CR LF and CR mean the same, also mixed within one stream."""
    assert read(b"data: one" + end + end + b"data: two\n\n") == ["one", "two"]


def test_lines_of_one_event_are_joined() -> None:
    """Several data fields of an event are one text with line feeds between them."""
    assert read(b"data: a\ndata:\ndata:  b\n\n") == ["a\n\n b"]


def test_comments_and_other_fields_mean_nothing() -> None:
    """Keep-alive comments, names, ids, retries and unknown lines are passed over."""
    noise = b": keep-alive\n\nevent: message\nid: 7\nretry: 10\nnonsense\n"
    assert read(noise + b"data: x\n\n" + noise + b"\n") == ["x"]


def test_a_data_field_needs_no_space() -> None:
    """One space after the colon is taken away where there is one."""
    assert read(b"data:x\n\ndata: x\n\n") == ["x", "x"]


def test_a_byte_order_mark_is_passed_over_at_the_beginning_only() -> None:
    """The mark before the first line is no part of a field's name; a later one is."""
    mark = "\ufeff".encode()
    assert read(mark + b"data: x\n\n" + mark + b"data: y\n\n") == ["x"]


def test_an_event_that_was_cut_off_is_no_event() -> None:
    """Without its empty line an event is not complete, nor is a character without its end."""
    assert read(b"data: x\n") == []
    assert read("data: é".encode()[:-1]) == []


def test_text_that_is_not_utf_8_is_malformed() -> None:
    """No character is guessed."""
    with pytest.raises(Malformed, match="UTF-8"):
        read(b"data: \xff\n\n")


def test_a_line_is_bounded_before_it_ends() -> None:
    """A line that never ends fails as soon as it is too long, not when memory does."""
    reader = EventReader(max_event_bytes=100)
    reader.feed(b"data: " + b"x" * 90)
    with pytest.raises(Malformed, match="100 bytes"):
        reader.feed(b"x" * 10)


def test_an_event_of_many_lines_is_bounded() -> None:
    """Small lines cannot add up to an event larger than allowed."""
    with pytest.raises(Malformed, match="an event"):
        read(b"data: xxxxxxxx\n" * 20, max_event_bytes=100)


def test_a_stream_is_bounded() -> None:
    """Comments count too, so that an endless stream of nothing ends."""
    with pytest.raises(Malformed, match="the stream"):
        read(*[b": nothing\n"] * 200, max_stream_bytes=1000)


STREAM = (
    '\ufeff: hello\r\ndata: {"a": "é"}\r\n\r\ndata: b\rdata: c\r\r'
    "event: x\ndata: d\n\ndata: \U0001f600\r\n\r\n"
).encode()


def test_a_stream_may_be_cut_after_each_byte() -> None:
    """Byte by byte, within characters and between CR and LF, the events are the same."""
    expected = ['{"a": "é"}', "b\nc", "d", "\U0001f600"]
    assert read(STREAM) == expected
    assert read(*[STREAM[at : at + 1] for at in range(len(STREAM))]) == expected


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    """Any division into pieces, empty ones included, gives the same events."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in pairwise(edges)]
    assert read(*pieces) == read(STREAM)


@given(st.binary(max_size=300))
def test_any_bytes_give_events_or_are_malformed(received: bytes) -> None:
    """Nothing that can be sent raises anything else."""
    try:
        events = read(received)
    except Malformed:
        return
    assert all(isinstance(event, str) for event in events)
