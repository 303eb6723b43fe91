"""Bodies: the limit, the deadline, what is no JSON and what is no object."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request

from antiphon_server.rest.bodies import (
    MAX_NESTING,
    MOST_BYTES,
    SECONDS,
    body_of,
    json_object,
    raw_body,
)
from antiphon_server.rest.errors import Invalid, InvalidRequest, TooLarge, TooSlow
from virtual_time import in_virtual_time


class _Named(Struct, frozen=True):
    """A body."""

    name: str


def _request(*parts: bytes, ends: bool = True) -> Request:
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop(0)
        if not ends:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), {}),
        ((b"null",), {}),
        ((b'{"a":', b'"\xc3', b'\xa4"}'), {"a": "ä"}),
    ],
)
async def test_an_object_in_pieces_or_nothing(
    parts: tuple[bytes, ...], expected: dict[str, Any]
) -> None:
    """Nothing is an empty object."""
    assert await json_object(_request(*parts)) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b" \r\n",
        b"\x0b",
        b"{",
        b"x",
        b"{'a':1}",
        b'{"a":1}{',
        b'"\xff"',
        b'{"\xed\xa0\x80":1}',
        b"[" * 60_000,
        b"\x00",
    ],
)
async def test_what_is_no_json_is_an_invalid_request(raw: bytes) -> None:
    """Also bad UTF-8, and nesting no client means."""
    with pytest.raises(InvalidRequest):
        await json_object(_request(raw))


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"true"])
async def test_what_is_no_object_is_invalid(raw: bytes) -> None:
    """The body as a whole is at fault."""
    with pytest.raises(Invalid) as refused:
        await json_object(_request(raw))
    (fault,) = refused.value.faults
    assert (fault.type, fault.loc) == ("model_attributes_type", ("body",))


async def test_a_body_has_a_limit() -> None:
    """To the byte, however it is cut."""
    filler = b'"' + b"x" * (MOST_BYTES - 7) + b'"'
    assert len(filler) + 5 == MOST_BYTES
    assert await json_object(_request(b'{"":', filler, b"}"))
    with pytest.raises(TooLarge):
        await json_object(_request(b'{"":', filler, b"}", b" "))


@in_virtual_time
async def test_a_body_that_never_ends_is_given_up() -> None:
    """After a deadline that does not start again with each byte."""
    with pytest.raises(TooSlow):
        await json_object(_request(b"{", ends=False))
    assert asyncio.get_running_loop().time() == pytest.approx(SECONDS)


async def test_a_client_that_leaves_is_no_error_of_its_body() -> None:
    """There is nobody left to answer."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await json_object(Request({"type": "http", "method": "POST", "headers": []}, receive))


async def test_a_body_is_the_struct_it_stands_for() -> None:
    """Or everything that is wrong with it, with its place."""
    assert await body_of(_request(b'{"name":"a"}'), _Named) == _Named("a")
    for raw in (b"", b"{}", b'{"name":1}'):
        with pytest.raises(Invalid) as refused:
            await body_of(_request(raw), _Named)
        assert [fault.loc for fault in refused.value.faults] == [("body", "name")]
    for raw in (b"null", b"[]"):
        with pytest.raises(Invalid) as refused:
            await body_of(_request(raw), _Named)
        assert [fault.loc for fault in refused.value.faults] == [("body",)]


async def test_another_limit_may_be_given() -> None:
    """For resources that are large by nature."""
    raw = b'{"name":"%s"}' % (b"x" * MOST_BYTES)
    assert await body_of(_request(raw), _Named, len(raw))
    with pytest.raises(TooLarge):
        await body_of(_request(raw), _Named, len(raw) - 1)


async def test_a_body_may_be_read_again() -> None:
    """Once to know it again, once for what it says."""
    request = _request(b'{"name":', b'"a"}')
    assert await raw_body(request) == await raw_body(request) == b'{"name":"a"}'
    assert await json_object(request) == {"name": "a"}


async def test_nesting_has_a_limit() -> None:
    """What is kept is written again, from deeper in the stack."""
    for levels, fits in ((MAX_NESTING, True), (MAX_NESTING + 1, False)):
        raw = b'{"":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"
        if fits:
            assert await json_object(_request(raw))
        else:
            with pytest.raises(InvalidRequest):
                await json_object(_request(raw))
