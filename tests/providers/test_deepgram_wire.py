"""Addresses, keys, frames and errors of Deepgram's wires."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec import structs
from websockets.asyncio.server import ServerConnection, serve

from antiphon_providers.deepgram_wire import (
    BASE_URL,
    Query,
    Wire,
    address_of,
    extra_query,
    frame,
)
from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.observer import SILENT
from antiphon_providers.vendor_options import VendorOptions
from antiphon_providers.vendor_socket import connect

KEY = "secret-key"


def options(base_url: str, api_key: str = KEY) -> VendorOptions:
    """Those of any of the three."""
    return VendorOptions(base_url=base_url, api_key=api_key)


@asynccontextmanager
async def saying(*messages: str | bytes) -> AsyncIterator[Wire]:
    """A connection to a peer that says this and closes."""

    async def say(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)

    async with serve(say, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        address = address_of("deepgram", options(url), "/v1/listen", {})
        async with connect(address, SILENT) as socket:
            yield Wire(address, socket)


async def error_of(message: str | bytes) -> ProviderError:
    """What a message means that is an error."""
    async with saying(message) as wire:
        with pytest.raises(ProviderError) as raised:
            await wire.next()
    assert raised.value.provider == "deepgram"
    assert KEY not in f"{raised.value!r} {raised.value.provider_code}"
    return raised.value


def test_an_address_has_its_path_its_query_and_the_key_in_its_header() -> None:
    """A path and a query of one's own are kept; http is ws; tuples are repeated."""
    query: Query = {"b": "2 3", "c": ("x", "y"), "d": True, "e": None, "f": 0.5, "g": ()}
    address = address_of("deepgram", options("http://127.0.0.1:9/proxy/?a=1"), "/v1/listen", query)
    assert address.url == "ws://127.0.0.1:9/proxy/v1/listen?a=1&b=2+3&c=x&c=y&d=true&f=0.5"
    assert address.headers == {"Authorization": f"Token {KEY}"}
    assert address.secrets == (KEY,)
    assert address_of("deepgram", options("https://h", ""), "/x", {}).url == "wss://h/x"


def test_the_vendors_variable_is_read_for_its_own_address_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key goes nowhere else."""
    monkeypatch.setenv("DEEPGRAM_API_KEY", KEY)
    own = address_of("deepgram", options(BASE_URL, ""), "/x", {})
    assert own.headers == {"Authorization": f"Token {KEY}"}
    assert own.secrets == (KEY,)
    mine = address_of("deepgram", options(BASE_URL, "mine"), "/x", {})
    assert mine.headers == {"Authorization": "Token mine"}
    elsewhere = address_of("deepgram", options("wss://elsewhere.example", ""), "/x", {})
    assert elsewhere.headers == {}
    assert elsewhere.secrets == ()
    assert KEY not in repr(structs.asdict(elsewhere))


def test_more_parameters_come_from_json() -> None:
    """Lists are repeated, all else is as JSON has it."""
    assert extra_query('{"a": "x", "b": true, "c": [1, "y"], "d": 0.5}') == {
        "a": "x",
        "b": "true",
        "c": ("1", "y"),
        "d": "0.5",
    }
    with pytest.raises(ValueError, match="JSON"):
        extra_query("[1]")


def test_a_frame_is_json_with_a_type() -> None:
    """And its fields."""
    assert json.loads(frame("Speak", text='"Hi"')) == {"type": "Speak", "text": '"Hi"'}


async def test_frames_and_sound_come_in_order_until_the_end() -> None:
    """A normal close is the end."""
    async with saying('{"type": "Flushed", "sequence_id": 0}', b"\1\2") as wire:
        assert await wire.next() == {"type": "Flushed", "sequence_id": 0}
        assert await wire.next() == b"\1\2"
        assert await wire.next() is None
        assert isinstance(wire.ended(), Unavailable)


@pytest.mark.parametrize(
    "message",
    ["", "no JSON", "[1]", "5", "{", "{}", '{"type": 5}', '{"type": null}', "[" * 100_000],
)
async def test_what_is_no_frame_is_malformed(message: str) -> None:
    """Whatever it is."""
    assert isinstance(await error_of(message), Malformed)


@pytest.mark.parametrize(
    ("said", "kind", "code", "words"),
    [
        ({"code": "INTERNAL_SERVER_ERROR", "description": "sorry"}, Unavailable, None, "sorry"),
        ({"code": "UNPARSABLE_CLIENT_MESSAGE", "description": "what"}, Refused, None, "what"),
        ({"variant": "SchemaError", "description": "what"}, Refused, "SchemaError", "what"),
        ({"err_code": "INVALID_AUTH", "err_msg": "no"}, Refused, "INVALID_AUTH", "no"),
        ({"description": f"not with {KEY}"}, Unavailable, "", r"not with \[api key\]"),
        ({}, Unavailable, "", "answered an error"),
        ({"code": [1], "description": {}, "variant": 5}, Unavailable, "5", "answered 5"),
    ],
)
async def test_an_error_frame_is_told_in_the_vendors_words(
    said: dict[str, object], kind: type[ProviderError], code: str | None, words: str
) -> None:
    """What asking again does not change is ``Refused``; the key is never told."""
    failed = await error_of(json.dumps({"type": "Error", **said}))
    assert type(failed) is kind
    assert failed.provider_code == ((said["code"] if code is None else code) or None)
    with pytest.raises(type(failed), match=words):
        raise failed
