"""Sockets to vendors over real connections: whatever goes wrong has one of our names."""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from antiphon_providers.errors import Refused, TooSlow, Unavailable
from antiphon_providers.observer import SILENT, Silent
from antiphon_providers.vendor_socket import connect
from certificates import Authority
from raw_http import Exchange, raw_server
from vendor_peer import KEY, address, failure, peer


class Noting(Silent):
    """An observer that keeps who connected."""

    def __init__(self) -> None:
        self.connections: list[tuple[str, float]] = []

    def connected(self, provider: str, seconds: float) -> None:
        """Kept."""
        self.connections.append((provider, seconds))


# --- a connection ------------------------------------------------------------------------


async def test_messages_go_both_ways_and_the_connection_is_observed() -> None:
    """Texts and bytes, until the vendor closes normally; the key was in the handshake."""
    met: list[ServerConnection] = []

    async def echo(connection: ServerConnection) -> None:
        met.append(connection)
        await connection.send(await connection.recv())
        await connection.send(await connection.recv())

    noting = Noting()
    async with peer(echo) as url, connect(address(url), noting) as socket:
        await socket.send("text")
        await socket.send(b"bytes")
        assert [message async for message in socket] == ["text", b"bytes"]
        assert socket.close_code == 1000
    request = met[0].request
    assert request is not None
    assert request.headers["Authorization"] == f"Token {KEY}"
    assert request.headers["User-Agent"] == "antiphon"
    assert "Sec-WebSocket-Extensions" not in request.headers
    assert [(provider, seconds >= 0) for provider, seconds in noting.connections] == [
        ("vendor", True)
    ]


async def test_a_subprotocol_is_agreed() -> None:
    """The one that the vendor chose is known."""

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with (
        peer(wait, subprotocols=["second"]) as url,
        connect(address(url, subprotocols=("first", "second")), SILENT) as socket,
    ):
        assert socket.subprotocol == "second"


async def test_leaving_the_context_closes_normally() -> None:
    """The vendor is told goodbye; whoever iterates is released."""
    code = asyncio.get_running_loop().create_future()

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()
        code.set_result(connection.close_code)

    async with peer(wait) as url:
        async with connect(address(url), SILENT) as socket:
            listening = asyncio.create_task(anext(aiter(socket), None))
            await asyncio.sleep(0)
        assert await listening is None
        assert await code == 1000
        with pytest.raises(Unavailable):
            await socket.send("too late")


async def test_leaving_by_cancellation_breaks_off_at_once() -> None:
    """The vendor sees the connection go without a goodbye to wait for."""
    code = asyncio.get_running_loop().create_future()
    standing = asyncio.Event()

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()
        code.set_result(connection.close_code)

    async def hold(url: str) -> None:
        async with connect(address(url), SILENT):
            standing.set()
            await asyncio.Event().wait()

    async with peer(wait) as url:
        holding = asyncio.create_task(hold(url))
        await standing.wait()
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        assert await code == 1006


async def test_breaking_off_ends_an_iteration() -> None:
    """Without an error, for it was wanted."""

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with peer(wait) as url, connect(address(url), SILENT) as socket:
        asyncio.get_running_loop().call_soon(socket.abort)
        assert [message async for message in socket] == []


# --- no connection -----------------------------------------------------------------------


async def test_a_vendor_that_never_answers_is_too_slow() -> None:
    """It accepts the connection and says nothing."""

    async def hang(exchange: Exchange) -> None:
        await exchange.until_left()

    async with raw_server(hang) as server:
        error = await failure(address(server.url.replace("http", "ws"), connect_ms=50))
    assert isinstance(error, TooSlow)
    assert "50 ms" in error.message


async def test_a_closed_port_is_unavailable() -> None:
    """Connection refused."""
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert isinstance(await failure(address(f"ws://127.0.0.1:{port}")), Unavailable)


async def test_a_host_without_an_address_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver says no."""

    async def unknown(*_args: object, **_options: object) -> None:
        raise sockets.gaierror(sockets.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    error = await failure(address("ws://nobody.invalid"))
    assert isinstance(error, Unavailable)
    assert "nobody.invalid" in error.message


@pytest.mark.parametrize("url", ["http://127.0.0.1", "ws://", "ws://[x", "ws://" + "x" * 300])
async def test_what_is_no_websocket_url_is_refused(url: str) -> None:
    """Without quoting it, for it may hold the key."""
    assert isinstance(await failure(address(url)), Refused)


async def test_a_certificate_of_nobody_known_is_unavailable(tmp_path: Path) -> None:
    """TLS with an authority that we do not trust."""

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()

    shown = Authority(tmp_path).server("localhost")
    async with peer(wait, ssl=shown) as url:
        error = await failure(address(url.replace("ws:", "wss:")))
    assert isinstance(error, Unavailable)
    assert "certificate" in error.message


async def test_a_certificate_of_a_named_authority_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SSL_CERT_FILE`` adds an operator's own authority."""

    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    authority = Authority(tmp_path)
    roots = tmp_path / "roots.pem"
    trusted = authority.trusted().get_ca_certs(binary_form=True)
    roots.write_text("".join(ssl.DER_cert_to_PEM_cert(root) for root in trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    async with peer(greet, ssl=authority.server("localhost")) as url:
        where = address(url.replace("ws://127.0.0.1", "wss://localhost"))
        async with connect(where, SILENT) as socket:
            assert [message async for message in socket] == ["hello"]


async def test_a_vendor_that_hangs_up_before_it_answers_is_unavailable() -> None:
    """Reset, or closed, or half an answer."""

    async def reset(exchange: Exchange) -> None:
        exchange.reset()

    async def close(exchange: Exchange) -> None:
        exchange.writer.close()

    async def half(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 101 Swit")
        exchange.writer.close()

    for answer in (reset, close, half):
        async with raw_server(answer) as server:
            error = await failure(address(server.url.replace("http", "ws")))
        assert isinstance(error, Unavailable)


# --- the key -----------------------------------------------------------------------------


async def test_the_key_is_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even where everything is logged."""

    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    caplog.set_level(logging.DEBUG)
    async with peer(greet) as url, connect(address(url), SILENT) as socket:
        assert KEY not in repr(socket)
        assert [message async for message in socket] == ["hello"]
        where = address(url)
    told = f"{where!r} {where.__rich_repr__()}"
    assert KEY not in told
    assert "token=" not in told
    ours = [record.getMessage() for record in caplog.records if "server" not in record.name]
    assert not any("key-that-nobody" in line for line in ours)
