"""Addresses, keys and errors of AssemblyAI's wires."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from antiphon_providers.assemblyai_wire import Endpoint, Wire, frame
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.observer import SILENT
from antiphon_providers.vendor_options import VendorOptions
from antiphon_providers.vendor_socket import connect

ENDPOINT = Endpoint("assemblyai", "wss://streaming.example", "/v3/ws")
KEY = "secret-key"


def options(base_url: str, api_key: str = KEY) -> VendorOptions:
    """Those of either."""
    return VendorOptions(base_url=base_url, api_key=api_key, connect_ms=900)


@asynccontextmanager
async def saying(*messages: str | bytes) -> AsyncIterator[Wire]:
    """A session with a peer that says this and closes."""

    async def say(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)

    async with serve(say, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        address = ENDPOINT.address(options(url), {})
        async with connect(address, SILENT) as socket:
            yield Wire(address, socket)


async def begins_with(*messages: str | bytes) -> ProviderError:
    """What a session raises that begins like this."""
    async with saying(*messages) as wire:
        with pytest.raises(ProviderError) as raised:
            await wire.begin(1000)
    assert raised.value.provider == "assemblyai"
    assert KEY not in f"{raised.value!r} {raised.value.provider_code}"
    return raised.value


def test_an_address_has_its_path_its_query_and_the_key_in_its_header() -> None:
    """A path and a query of one's own are kept; http is ws."""
    address = ENDPOINT.address(options("http://127.0.0.1:9/proxy/?a=1"), {"b": "2 3"})
    assert address.url == "ws://127.0.0.1:9/proxy/v3/ws?a=1&b=2+3"
    assert address.headers == {"Authorization": KEY}
    assert (address.secrets, address.connect_ms) == ((KEY,), 900)
    assert ENDPOINT.address(options("https://h", ""), {}).url == "wss://h/v3/ws"


def test_the_vendors_variable_is_read_for_its_own_address_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key goes nowhere else."""
    monkeypatch.setenv("ASSEMBLYAI_API_KEY", KEY)
    for base_url, given, sent in (
        (ENDPOINT.base_url, "", {"Authorization": KEY}),
        (ENDPOINT.base_url, "mine", {"Authorization": "mine"}),
        ("wss://elsewhere.example", "", {}),
    ):
        assert ENDPOINT.address(options(base_url, given), {}).headers == sent


async def test_frames_are_read_until_a_normal_end() -> None:
    """JSON objects with a type; an unknown type is a frame too."""
    async with saying(frame("Begin", id="x"), '{"type": "New", "a": 1}', '{"a": 1}') as wire:
        assert (await wire.begin(1000))["id"] == "x"
        assert await wire.next() == {"type": "New", "a": 1}
        assert await wire.next() == {"type": "", "a": 1}
        assert await wire.next() is None


@pytest.mark.parametrize(
    "message",
    ["", "nonsense", "[1]", "7", "null", b"\xff\xfe", '{"type": "Tur', "[" * 50_000, frame("Turn")],
)
async def test_a_session_that_begins_with_no_begin_is_malformed(message: str | bytes) -> None:
    """Garbage, half a frame, another frame."""
    assert isinstance(await begins_with(message), Malformed)


async def test_a_session_that_ends_before_it_begins_is_unavailable() -> None:
    """Closed normally, without a word."""
    assert isinstance(await begins_with(), Unavailable)


async def test_a_session_that_does_not_begin_is_too_slow() -> None:
    """After ``first_ms``."""

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(wait, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        address = ENDPOINT.address(options(url), {})
        async with connect(address, SILENT) as socket:
            with pytest.raises(TooSlow, match="within 20 ms"):
                await Wire(address, socket).begin(20)
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("fields", "kind", "code", "wait"),
    [
        ({"error_code": 1008, "error": f"no {KEY}"}, Refused, "1008", None),
        ({"error_code": 3006, "error": "Invalid"}, Refused, "3006", None),
        ({"error_code": 4001, "error": "Not Authorized"}, Refused, "4001", None),
        ({"error_code": 3005, "error": "Cancelled"}, Unavailable, "3005", None),
        ({"error_code": 3008, "error": "expired"}, Unavailable, "3008", None),
        ({"error_code": 3009, "error": "too many"}, Unavailable, "3009", None),
        (
            {"error_code": 1008, "error": "Unauthorized Connection: Too many concurrent sessions"},
            Unavailable,
            "1008",
            None,
        ),
        ({"error_code": 4001, "error": "too many wrong keys"}, Refused, "4001", None),
        (
            {"error_code": 1008, "retryable": True, "retry_after_seconds": 7, "error": "rate"},
            Unavailable,
            "1008",
            7.0,
        ),
        (
            {"error_code": 3005, "retryable": False, "error_type": f"gone {KEY}", "param": "voice"},
            Refused,
            "gone [api key]",
            None,
        ),
        ({"error": {"odd": [1]}, "error_code": "text"}, Unavailable, "text", None),
        ({}, Unavailable, None, None),
    ],
)
async def test_an_error_frame_is_told_in_the_vendors_words(
    fields: dict[str, object], kind: type[ProviderError], code: str | None, wait: float | None
) -> None:
    """Refused where asking again changes nothing, else unavailable; the key is not told."""
    error = await begins_with(json.dumps({"type": "Error", **fields}))
    assert type(error) is kind
    assert (error.provider_code, error.retry_after_s) == (code, wait)


async def test_an_error_without_a_type_is_an_error() -> None:
    """As gateways in front of the service say it."""
    error = await begins_with('{"error": "Too many requests"}')
    assert isinstance(error, Unavailable)
    assert "Too many requests" in error.message
