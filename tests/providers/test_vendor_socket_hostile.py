"""Sockets to vendors that refuse, break off, or say what is no message."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection

from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.observer import SILENT
from antiphon_providers.vendor_socket import MAX_MESSAGE_BYTES, connect
from raw_http import Answer, Exchange, raw_server
from vendor_peer import KEY, address, checked, ends, failure, peer


def answering(status: int, body: bytes = b"", *headers: str) -> Answer:
    """An HTTP server that never upgrades."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(status, body, "connection: close", *headers)
        exchange.writer.close()

    return answer


async def refused_with(status: int, body: bytes = b"", *headers: str) -> ProviderError:
    """What an HTTP answer in place of a WebSocket raises."""
    async with raw_server(answering(status, body, *headers)) as server:
        return await failure(address(server.url.replace("http", "ws")))


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 401 No\r\ncontent-length: 99999999\r\n\r\n",
    ],
)
async def test_a_peer_that_speaks_something_else_is_malformed(answer: bytes) -> None:
    """Another protocol, half a handshake, a web page, a body without end."""

    async def say(exchange: Exchange) -> None:
        await exchange.send(answer)
        exchange.writer.close()

    async with raw_server(say) as server:
        error = await failure(address(server.url.replace("http", "ws")))
    assert isinstance(error, Malformed)


# --- refused at the handshake ------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_has_the_vendors_status_words_and_code(status: int) -> None:
    """And not the key, though the vendor quotes it."""
    body = msgspec.json.encode({"err_code": f"NO_{KEY}", "err_msg": f"{KEY} is not good"})
    error = await refused_with(status, body)
    assert isinstance(error, Refused)
    assert error.status_code == status
    assert error.message == f"127.0.0.1 answered {status}: [api key] is not good"
    assert error.provider_code == "NO_[api key]"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 529])
async def test_a_vendor_that_cannot_serve_now_says_when_to_come_back(status: int) -> None:
    """``Retry-After`` reaches whoever asks again."""
    error = await refused_with(status, b"busy", "retry-after: 7")
    assert isinstance(error, Unavailable)
    assert (error.status_code, error.retry_after_s) == (status, 7.0)
    assert "busy" in error.message


async def test_a_redirect_is_refused_and_not_followed() -> None:
    """The key goes nowhere else."""
    async with raw_server(answering(200)) as other:
        error = await refused_with(307, b"", f"location: {other.url}/elsewhere?{KEY}")
        assert other.requests == []
    assert isinstance(error, Refused)
    assert "/elsewhere" in error.message


async def test_a_key_that_is_no_header_is_refused_before_anybody_is_asked() -> None:
    """A line break in a key would be a header of its own."""
    error = await failure(
        address("ws://127.0.0.1:1", headers={"Authorization": "a\r\nb"}, secrets=("a\r\nb",))
    )
    assert isinstance(error, Refused)


# --- an end ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1001, Unavailable),
        (1003, Refused),
        (1008, Refused),
        (1009, Refused),
        (1011, Unavailable),
        (1013, Unavailable),
        (3005, Unavailable),
        (4001, Unavailable),
    ],
)
async def test_a_close_has_the_vendors_code_and_reason(
    code: int, kind: type[ProviderError]
) -> None:
    """What came before it was heard; the reason has no key."""

    async def leave(connection: ServerConnection) -> None:
        await connection.send("before")
        await connection.close(code, f"because {KEY}")

    heard, error = await ends(leave)
    assert heard == ["before"]
    assert type(error) is kind
    assert error.provider_code == str(code)
    assert error.message == f"127.0.0.1 closed the connection ({code}): because [api key]"


async def test_the_reason_of_a_close_has_no_key() -> None:
    """As an adapter reads it."""

    async def leave(connection: ServerConnection) -> None:
        await connection.close(1000, KEY)

    async with peer(leave) as url, connect(address(url), SILENT) as socket:
        assert [message async for message in socket] == []
        assert socket.close_reason == "[api key]"


async def test_a_connection_that_breaks_is_unavailable() -> None:
    """Reset by the vendor in the middle."""

    async def reset(connection: ServerConnection) -> None:
        await connection.send("before")
        connection.transport.abort()

    _, error = await ends(reset)
    assert isinstance(error, Unavailable)


async def test_a_vendor_that_is_gone_without_a_word_is_noticed() -> None:
    """A half-open connection: no answer to a ping."""
    left = asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await left.wait()
        connection.transport.abort()

    async with peer(deaf) as url:
        with pytest.raises(Unavailable) as raised:
            async with connect(address(url, ping_ms=30), SILENT) as socket:
                await anext(socket)
        left.set()
    assert "ping" in checked(raised.value).message


async def test_a_message_too_long_is_malformed() -> None:
    """It is not read to its end."""

    async def flood(connection: ServerConnection) -> None:
        await connection.send(b"x" * (MAX_MESSAGE_BYTES + 1))
        await connection.wait_closed()

    heard, error = await ends(flood)
    assert heard == []
    assert isinstance(error, Malformed)


@pytest.mark.parametrize("frame", [b"\x81\x02\xff\xff", b"\xf3\x00", b"\x83\x00"])
async def test_frames_that_are_none_are_malformed(frame: bytes) -> None:
    """Text that is not UTF-8, reserved bits, an unknown opcode."""

    async def garble(connection: ServerConnection) -> None:
        connection.transport.write(frame)
        await connection.wait_closed()

    _, error = await ends(garble)
    assert isinstance(error, Malformed)
