"""A public server that answers with a way in: nobody goes there."""

import random

import pytest

from hostile.ssrf import Sockets, canaries, entrances
from hostile.url_forms import NAMES, url_forms
from openai_peer import responding
from outbound_peer import Names
from raw_http import raw_server

REDIRECTS = 50
WAYS = ("fetch", "transport", "http_tool", "own_model", "webhook")
STATUSES = (301, 302, 303, 307, 308)


def _places(port: int) -> list[str]:
    """Where the redirects lead: forms that a header can hold, chosen by a seed."""
    forms = [form for form in url_forms(port) if form.isascii() and form.isprintable()]
    chosen = random.Random(3)  # noqa: S311 - repeatable, not secret.
    places = chosen.sample([form for form in forms if len(form) < 4000], REDIRECTS - 1)
    return [f"http://127.0.0.1:{port}/", *places]


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    """What is connected to."""
    return Sockets(monkeypatch)


@pytest.mark.parametrize("follow", [False, True])
async def test_no_redirect_leads_inside(sockets: Sockets, follow: bool) -> None:
    """Fifty of them, also for a client of the transport that follows redirects: only the server
    that redirects is connected to.
    """
    names = Names({name: [answers] for name, answers in NAMES.items()})
    async with canaries() as birds, raw_server(responding(200, b"")) as server:
        port = int(server.url.rpartition(":")[2])
        places = _places(birds.port)
        async with entrances(names, f"127.0.0.1:{port}", port=birds.port, follow=follow) as doors:
            for number, place in enumerate(places):
                status = STATUSES[number % len(STATUSES)]
                server.answer = responding(status, b"", f"location: {place}", "connection: close")
                for way in WAYS:
                    assert not await doors.ways[way](f"{server.url}/v1")
        assert set(sockets.connects) == {("127.0.0.1", port)}
        assert birds.heard == []
        assert len(server.requests) >= len(WAYS) * REDIRECTS
