"""A vendor behind a WebSocket, doing what a test wants, and how an adapter's socket takes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from antiphon_providers.errors import ProviderError
from antiphon_providers.observer import SILENT
from antiphon_providers.vendor_socket import Address, VendorSocket, connect

KEY = "key-that-nobody/may+read"

Peer = Callable[[ServerConnection], Awaitable[None]]


def address(url: str, **changes: object) -> Address:
    """With a key in header and query."""
    base = Address(
        provider="vendor",
        url=f"{url}/listen?token=key-that-nobody%2Fmay%2Bread",
        headers={"Authorization": f"Token {KEY}"},
        secrets=(KEY,),
    )
    return msgspec.structs.replace(base, **changes)


@asynccontextmanager
async def peer(serving: Peer, **options: object) -> AsyncIterator[str]:
    """The URL of a WebSocket server that does this with each connection."""
    async with serve(serving, "127.0.0.1", 0, **options) as server:  # type: ignore[arg-type]
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def failure(where: Address) -> ProviderError:
    """What connecting there raises; it names the provider and never the key."""
    with pytest.raises(ProviderError) as raised:
        async with connect(where, SILENT):
            pass
    return checked(raised.value)


def checked(error: ProviderError) -> ProviderError:
    """An error that says who failed and keeps the key to itself."""
    assert error.provider == "vendor"
    told = f"{error} {error!r} {error.message} {error.provider_code}"
    assert KEY not in told
    assert "key-that-nobody" not in told
    return error


async def ends(serving: Peer, **changes: object) -> tuple[list[str | bytes], ProviderError]:
    """The messages that came, and the error that ended them."""
    heard: list[str | bytes] = []

    async def listen(socket: VendorSocket) -> None:
        async for message in socket:
            heard.append(message)  # noqa: PERF401 - what came before the error must be kept

    async with peer(serving) as url:
        with pytest.raises(ProviderError) as raised:
            async with connect(address(url, **changes), SILENT) as socket:
                await listen(socket)
    return heard, checked(raised.value)
