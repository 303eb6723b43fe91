"""By which names a server may be addressed that lets everybody in."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from antiphon_server.security.host_names import FREE, HostNames
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database
from server.rest.rest_client import ask
from server.security.created_keys import create, keys_of, unreachable


async def _inside(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("inside")(scope, receive, send)


async def _status(app: HostNames, host: str, path: str = "/v1/sessions") -> int:
    return (await ask(app, f"GET {path}", authorization=None, host=host)).status


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8400", "LOCALHOST:8400", "localhost.", "antiphon.localhost:8400",
        "127.0.0.1:8400", "127.0.0.2", "[::1]:8400", "[::1]", "192.0.2.7:8400",
    ],
)  # fmt: skip
async def test_this_machine_goes_by_its_own_names(host: str) -> None:
    """An address is as good: no page's name is one."""
    assert await _status(HostNames(_inside, Keys(())), host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8400", "localhost.evil.example", "evillocalhost", "",
        "127.0.0.1.evil.example", "[::1", "a b", "localhost@evil.example", "127.1", "2130706433",
        "evil.example/localhost", "localhost,evil.example",
    ],
)  # fmt: skip
async def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    """421, and what to do, should it be meant well; nothing behind it is asked."""
    app = HostNames(_inside, Keys(()))
    answer = await ask(app, "GET /v1/sessions", authorization=None, host=host)
    assert answer.status == 421
    assert b"ANTIPHON_PUBLIC_URL" in answer.raw


async def test_the_name_in_the_settings_is_known() -> None:
    """With any port; and no other with it."""
    app = HostNames(_inside, Keys(()), "https://Voice.example.com/base")
    assert await _status(app, "voice.example.com") == 200
    assert await _status(app, "voice.example.com:8400") == 200
    assert await _status(app, "www.voice.example.com") == 421


async def test_several_hosts_must_all_be_ours() -> None:
    """Which of them somebody behind this looks at is not known here."""
    app = HostNames(_inside, Keys(()))
    more = (("host", "evil.example"),)
    assert (await ask(app, "GET /", authorization=None, headers=more)).status == 421


async def test_a_server_with_keys_goes_by_any_name() -> None:
    """Who has no key gets nothing by any of them."""
    assert await _status(HostNames(_inside, Keys(("key-1",))), "evil.example") == 200


@pytest.mark.parametrize("path", sorted(FREE))
async def test_supervisors_may_use_any_name(path: str) -> None:
    """A machine has many in its own network, and these tell nothing of calls."""
    assert await _status(HostNames(_inside, Keys(())), "node-7.internal", path) == 200


async def test_the_first_key_opens_the_other_names(database: Database) -> None:
    """And with a database that cannot be asked, REST refuses by itself."""
    keys = keys_of(database)
    app = HostNames(_inside, keys)
    with unreachable(database):
        assert await _status(app, "evil.example") == 200
    await keys.close()
    create(database)
    keys = keys_of(database)
    assert await _status(HostNames(_inside, keys), "evil.example") == 200
    await keys.close()


async def test_sockets_are_not_looked_at() -> None:
    """Pages of any site may open one to a server that lets everybody in."""
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    scope = {"type": "websocket", "path": "/v1/ws", "headers": [(b"host", b"evil.example")]}
    await HostNames(app, Keys(()))(scope, app, app)  # type: ignore[arg-type]
    assert seen == [scope]
