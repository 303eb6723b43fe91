"""The guarded transport under an ordinary httpx client, over real sockets and real TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import httpcore
import httpx
import pytest

from antiphon_server.observe.notes import Noting, context_of
from antiphon_server.security.outbound_errors import OutboundTooSlow, UnsafeUrl
from antiphon_server.security.outbound_transport import _in_httpx_errors
from certificates import Authority
from openai_peer import responding
from outbound_peer import Names, guarded, tls_server
from raw_http import Exchange, raw_server

HELLO = responding(200, b"hello")


@asynccontextmanager
async def client(
    *allow: str, names: Names, tls: ssl.SSLContext
) -> AsyncIterator[httpx.AsyncClient]:
    """An httpx client behind a guard with these exceptions."""
    async with (
        guarded(*allow, resolve=names, tls=tls) as guard,
        httpx.AsyncClient(transport=guard.transport()) as http,
    ):
        yield http


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of certificates."""
    return Authority(tmp_path)


@pytest.fixture
def names() -> Names:
    """Two names of this machine."""
    return Names({"a.example": [["127.0.0.1"]], "b.example": [["127.0.0.1"]]})


async def test_the_handshake_and_the_request_name_the_host(
    authority: Authority, names: Names
) -> None:
    """Though the socket was connected to a number; and the certificate is checked for the name."""
    shown = authority.server("a.example")
    asked: list[str | None] = []
    shown.sni_callback = lambda _, name, __: asked.append(name)
    async with tls_server(HELLO, shown) as (server, port):
        async with client(f"a.example:{port}", names=names, tls=authority.trusted()) as http:
            answer = await http.get(f"https://a.example:{port}/path?query")
        assert answer.text == "hello"
        assert asked == ["a.example"]
        assert server.requests[0].path == "/path?query"
        assert server.requests[0].headers["host"] == f"a.example:{port}"


async def test_a_certificate_for_another_name_is_refused(
    authority: Authority, names: Names
) -> None:
    """Nobody answers in another's place, wherever the name leads."""
    async with tls_server(HELLO, authority.server("b.example")) as (server, port):
        async with client(f"a.example:{port}", names=names, tls=authority.trusted()) as http:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(f"https://a.example:{port}/")
        assert server.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(
    authority: Authority, names: Names
) -> None:
    """Trust is the machine's, unless the operator says otherwise."""
    async with tls_server(HELLO, authority.server("a.example")) as (server, port):
        async with client(f"a.example:{port}", names=names, tls=httpx.create_ssl_context()) as http:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(f"https://a.example:{port}/")
        assert server.requests == []


async def test_a_connection_is_kept_for_its_own_name_only(
    authority: Authority, names: Names
) -> None:
    """Two names with one address and one certificate have a connection each, and keep it."""
    shown = authority.server("a.example", "b.example")
    async with tls_server(HELLO, shown) as (server, port):
        allow = (f"a.example:{port}", f"b.example:{port}")
        async with client(*allow, names=names, tls=authority.trusted()) as http:
            for name in ("a", "a", "b", "b", "a"):
                await http.get(f"https://{name}.example:{port}/")
        assert server.connections == 2
        assert names.asked == ["a.example", "b.example"]


async def test_neither_a_header_nor_an_option_leads_elsewhere(
    authority: Authority, names: Names
) -> None:
    """What was checked is what is asked: a shared front must not be asked for another's pages."""
    shown = authority.server("a.example")
    asked: list[str | None] = []
    shown.sni_callback = lambda _, name, __: asked.append(name)
    async with tls_server(HELLO, shown) as (server, port):
        async with client(f"a.example:{port}", names=names, tls=authority.trusted()) as http:
            await http.get(
                f"https://a.example:{port}/",
                headers={"Host": "b.example"},
                extensions={"sni_hostname": "b.example", "target": b"https://b.example/"},
            )
        assert (asked, server.requests[0].path) == (["a.example"], "/")
        assert server.requests[0].headers["host"] == f"a.example:{port}"


async def test_a_client_that_follows_redirects_is_checked_at_each(names: Names) -> None:
    """The first host was allowed, the second is not."""
    async with raw_server(responding(302, b"", "location: http://b.example:81/")) as server:
        port = int(server.url.rpartition(":")[2])
        async with (
            guarded(f"a.example:{port}", resolve=names) as guard,
            httpx.AsyncClient(transport=guard.transport(), follow_redirects=True) as http,
        ):
            with pytest.raises(httpx.ConnectError, match="must begin with https") as refused:
                await http.get(f"http://a.example:{port}/")
    assert isinstance(refused.value.__cause__, UnsafeUrl)
    assert names.asked == ["a.example"]


async def test_proxies_of_the_environment_are_not_used(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would resolve the name again, to whatever they like."""
    async with raw_server(HELLO) as server, raw_server(HELLO) as proxy:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
            monkeypatch.setenv(variable.lower(), proxy.url)
        port = int(server.url.rpartition(":")[2])
        async with (
            guarded(f"a.example:{port}", resolve=names) as guard,
            httpx.AsyncClient(transport=guard.transport()) as http,
        ):
            assert (await http.get(f"http://a.example:{port}/")).text == "hello"
        assert proxy.connections == 0


async def test_a_traceparent_of_the_caller_is_left_as_it_is(names: Names) -> None:
    """An agent's header wins; without a session nothing is added."""

    class Session:
        def traceparent(self, _call_id: str | None) -> str:
            return "ours"

    noting = cast("Noting", Session())
    async with raw_server(HELLO) as server:
        address = server.url.removeprefix("http://")
        async with guarded(address, resolve=names) as guard, guard.transport() as transport:

            async def ask(**headers: str) -> None:
                request = httpx.Request("GET", server.url, headers=headers)
                await (await transport.handle_async_request(request)).aread()

            loop = asyncio.get_running_loop()
            await ask()
            await loop.create_task(ask(), context=context_of(noting))
            await loop.create_task(ask(TraceParent="theirs"), context=context_of(noting))
    told = [request.headers.get("traceparent") for request in server.requests]
    assert told == [None, "ours", "theirs"]


async def test_a_body_streams_and_breaks_off_as_an_error_of_httpx(names: Names) -> None:
    """Piece by piece, as it is sent, until the server is gone."""

    async def breaks(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"abc")
        exchange.writer.close()

    async with raw_server(breaks) as server:
        port = int(server.url.rpartition(":")[2])
        async with (
            guarded(f"a.example:{port}", resolve=names) as guard,
            httpx.AsyncClient(transport=guard.transport()) as http,
            http.stream("GET", f"http://a.example:{port}/") as answer,
        ):
            pieces = answer.aiter_raw()
            assert await anext(pieces) == b"abc"
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(pieces)


ERRORS = [name for name in httpcore.__all__ if name.endswith(("Error", "Timeout", "Protocol"))]


@pytest.mark.parametrize("name", [*ERRORS, "TimeoutException"])
def test_errors_of_the_pool_become_those_of_the_client(name: str) -> None:
    """There is one of each name in httpx."""
    request = httpx.Request("GET", "https://a.example/")
    with pytest.raises(getattr(httpx, name), match="words") as failed, _in_httpx_errors(request):
        raise getattr(httpcore, name)("words")
    assert failed.value.request is request


def test_a_name_that_is_slow_is_a_timeout_and_a_broken_record_a_broken_connection() -> None:
    """Clients catch httpx's errors, and nothing else."""
    request = httpx.Request("GET", "https://a.example/")
    with pytest.raises(httpx.ConnectTimeout), _in_httpx_errors(request):
        raise OutboundTooSlow("words")
    with pytest.raises(httpx.ReadError, match="SSLError"), _in_httpx_errors(request):
        raise ssl.SSLError("words")
