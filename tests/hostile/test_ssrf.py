"""Every URL of the list by every way in: no socket is connected, and no canary hears a thing."""

import asyncio

import httpx
import pytest

from hostile.ssrf import CANARIES, Entrances, Sockets, canaries, entrances
from hostile.url_forms import NAMES, url_forms
from openai_peer import HELLO, streaming
from outbound_peer import Names
from raw_http import raw_server

WAYS = ["check_url", "fetch", "transport", "http_tool", "own_model", "webhook"]


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    """What is connected to."""
    return Sockets(monkeypatch)


def _names() -> Names:
    return Names({name: [answers] for name, answers in NAMES.items()})


@pytest.mark.parametrize("way", WAYS)
async def test_no_form_leads_anywhere(way: str, sockets: Sockets) -> None:
    """None of them is taken, and none opens a connection."""
    async with canaries() as birds, entrances(_names(), port=birds.port) as doors:
        taken = [form for form in url_forms(birds.port) if await doors.ways[way](form)]
        assert taken == []
        assert sockets.connects == []
        assert sockets.lookups == []
        assert birds.heard == []


async def test_the_canaries_sing_and_the_sockets_are_watched(sockets: Sockets) -> None:
    """A client without a guard reaches what all of this hides."""
    async with canaries() as birds, httpx.AsyncClient() as client:
        for host in CANARIES:
            with pytest.raises(httpx.HTTPError):
                await client.get(f"http://{host}:{birds.port}/")
        await asyncio.wait_for(birds.all_heard.wait(), 5)
        assert sockets.connects == [(host, birds.port) for host in CANARIES]
        assert birds.heard == list(CANARIES)


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_operator_allows_is_reached_by_every_way(way: str, sockets: Sockets) -> None:
    """And nothing else is: so the test above is not won by refusing everything."""
    async with raw_server(streaming(HELLO)) as server:
        port = int(server.url.rpartition(":")[2])
        async with entrances(None, f"127.0.0.1:{port}", port=1) as doors:
            assert await doors.ways[way](f"{server.url}/v1")
            expected = [] if way == "check_url" else [("127.0.0.1", port)]
            assert sockets.connects == expected


async def test_every_way_is_tried(sockets: Sockets) -> None:
    """A new way in belongs into the list."""
    async with entrances(port=1) as doors:
        assert list(doors.ways) == WAYS
        assert isinstance(doors, Entrances)
        assert sockets.connects == []
