"""What all adapters that speak HTTP have in common: failures become ours, secrets stay here."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.observer import Silent
from antiphon_providers.vendor_http import (
    Endpoint,
    Patience,
    VendorHttp,
    check,
    drain,
    read,
)
from openai_peer import responding, streaming
from raw_http import Answer, Exchange, raw_server
from virtual_time import in_virtual_time

KEY = "key-that-nobody/may+read"


class Watching(Silent):
    """Counts connections."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def connected(self, provider: str, seconds: float) -> None:
        """One more."""
        assert provider == "vendor"
        self.seconds.append(seconds)


def vendor(url: str, watching: Silent | None = None) -> VendorHttp:
    """The connections to it."""
    endpoint = Endpoint("vendor", url, {"Authorization": f"Bearer {KEY}"}, (KEY,), connect_ms=300)
    http = VendorHttp(endpoint)
    http.observer = watching or Silent()
    http.open()
    return http


async def body_of(http: VendorHttp, first_ms: int = 5000) -> tuple[str, bytes]:
    """The kind and the body of an answer."""
    patience = Patience(first_ms, first_ms)
    async with http.exchange(patience, "POST", "/x", b"{}") as response:
        return await check(response, patience), await patience.wait(read(response, 100))


async def failure(answer: Answer, first_ms: int = 5000) -> ProviderError:
    """What an answer is taken for; it names the provider and never the key."""
    async with raw_server(answer) as server:
        http = vendor(server.url)
        with pytest.raises(ProviderError) as raised:
            await body_of(http, first_ms)
        await http.close()
    assert raised.value.provider == "vendor"
    assert KEY not in f"{raised.value} {raised.value.provider_code}"
    return raised.value


async def test_connections_are_kept_shared_and_observed() -> None:
    """Two questions make one connection; the base's path and query stay."""
    watching = Watching()
    async with raw_server(streaming(b"hello")) as server:
        http = vendor(f"{server.url}/base/?version=2", watching)
        for _ in range(2):
            patience = Patience(5000, 5000)
            async with http.exchange(patience, "POST", "/x", b"{}") as response:
                assert await check(response, patience) == "text/event-stream"
                raw = response.aiter_raw()
                assert await anext(raw) == b"hello"
                await drain(raw)
        await http.close()
    assert [request.path for request in server.requests] == ["/base/x?version=2"] * 2
    assert server.connections == len(watching.seconds) == 1
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Refused),
        (404, Refused),
        (422, Refused),
        (408, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (529, Unavailable),
    ],
)
async def test_a_status_becomes_a_failure_in_the_vendors_words(
    status: int, kind: type[ProviderError]
) -> None:
    """With the status, the vendor's code, when to ask again, and without the key."""
    body = f'{{"error": {{"message": "no {KEY}", "code": "c"}}}}'.encode()
    error = await failure(responding(status, body, "retry-after: 7"))
    assert type(error) is kind
    assert error.message == f"the vendor answered {status}: no [api key]"
    assert (error.status_code, error.provider_code, error.retry_after_s) == (status, "c", 7)


async def test_redirects_and_compression_are_not_followed() -> None:
    """They would take the key elsewhere, or blow up."""
    moved = await failure(responding(307, b"", "location: http://elsewhere/"))
    assert isinstance(moved, Refused)
    assert "elsewhere" in moved.message
    packed = await failure(responding(200, b"x", "content-encoding: gzip"))
    assert isinstance(packed, Malformed)


async def test_a_peer_that_breaks_off_is_unavailable_and_one_that_hangs_too_slow() -> None:
    """Before the head, with half a head, with garbage, or never anything."""

    async def reset(exchange: Exchange) -> None:
        exchange.reset()

    async def garbage(exchange: Exchange) -> None:
        await exchange.send(b"\x00\xff nonsense\r\n\r\n")

    async def half(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf")
        exchange.reset()

    for answer in (reset, garbage, half):
        assert isinstance(await failure(answer), Unavailable)
    assert isinstance(await failure(Exchange.until_left, 100), TooSlow)


async def test_nobody_there_is_unavailable() -> None:
    """A port that nobody listens to."""
    async with raw_server(streaming()) as server:
        url = server.url
    http = vendor(url)
    with pytest.raises(Unavailable, match="failed"):
        await body_of(http)
    await http.close()


async def test_nothing_is_asked_before_the_opening_or_after_the_close() -> None:
    """Both are failures of ours, not of the library."""
    http = VendorHttp(Endpoint("vendor", "http://127.0.0.1:1"))
    with pytest.raises(Unavailable, match="not started"):
        await body_of(http)
    http.open()
    await http.close()
    with pytest.raises(Unavailable, match="closed"):
        await body_of(http)


async def test_bodies_are_read_up_to_a_limit() -> None:
    """The rest of a long one is left."""
    async with raw_server(responding(200, b"x" * 1_000_000)) as server:
        http = vendor(server.url)
        assert (await body_of(http))[1] == b"x" * 100
        await http.close()


@in_virtual_time
async def test_patience_has_two_lengths() -> None:
    """One for the first step, one for each that follows a renewal."""
    patience = Patience(1000, 200, what="sound", whole="the speech")
    await patience.wait(asyncio.sleep(0.9))
    with pytest.raises(TooSlow, match="no sound within 1000 ms"):
        await patience.wait(asyncio.sleep(0.2))
    patience.renew()
    with pytest.raises(TooSlow, match="the speech stopped for 200 ms"):
        await patience.wait(asyncio.sleep(0.3))


async def test_an_end_that_fails_does_not_matter() -> None:
    """What goes wrong after the reply is no failure of it."""

    class Broken:
        def __aiter__(self) -> Broken:
            return self

        async def __anext__(self) -> bytes:
            raise httpx.ReadError("broke")

    await drain(Broken())


def test_an_endpoint_does_not_show_its_secrets() -> None:
    """Neither in a log nor in a traceback."""
    endpoint = Endpoint("vendor", "http://host", {"x": KEY}, (KEY,))
    assert KEY not in f"{endpoint!r} {endpoint.__rich_repr__()}"
