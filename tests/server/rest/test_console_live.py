"""``/v1/console/me`` and ``/v1/console/live``."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_protocol import __version__
from antiphon_protocol.session_config import VOICES
from antiphon_server.rest.api import Api
from antiphon_server.security.admission import SCOPES
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database
from server.rest.console_desk import ConsoleDesk, live
from server.rest.rest_client import ask
from server.security.created_keys import create, keys_of


async def test_a_caller_is_told_who_it_is(database: Database, tmp_path: Path) -> None:
    """And what the server does when a session says nothing."""
    desk = await ConsoleDesk(database, tmp_path).open()
    got = await desk.mine.ask("GET /v1/console/me")
    key_id = got.body["key_id"]
    assert (got.status, got.body) == (
        200,
        {
            "account": desk.mine.account,
            "key_id": key_id,
            "scopes": list(SCOPES),
            "development": False,
            "version": __version__,
            "recording": True,
            "journals": False,
            "defaults": {"voices": list(VOICES), "providers": {"language_model": "openai"}},
        },
    )
    assert key_id.startswith("env_")


async def test_a_key_is_told_what_it_may_do(database: Database, tmp_path: Path) -> None:
    """Whatever its scopes; without a key nothing is told."""
    desk = await ConsoleDesk(database, tmp_path).open()
    key_id, key = create(database, scopes=("calls", "operator"), account="acme")
    app = Api(desk.operations(keys_of(database)))
    got = await ask(app, "GET /v1/console/me", authorization=key)
    assert (got.body["account"], got.body["key_id"]) == ("acme", key_id)
    assert got.body["scopes"] == ["calls", "operator"]
    for wrong in (None, "nothing"):
        assert (await ask(app, "GET /v1/console/me", authorization=wrong)).status == 401


async def test_without_keys_everybody_is_the_same(database: Database, tmp_path: Path) -> None:
    """In development; the console opens at once, but no operator is there."""
    desk = await ConsoleDesk(database, tmp_path).open()
    app = Api(desk.operations(Keys(())))
    desk.calls[""] = [live("sess_1")]
    got = await ask(app, "GET /v1/console/me", authorization=None)
    assert (got.body["account"], got.body["key_id"], got.body["development"]) == ("", None, True)
    assert "operator" not in got.body["scopes"]
    seen = await ask(app, "GET /v1/console/live", authorization=None)
    assert [call["id"] for call in seen.body["sessions"]] == ["sess_1"]


async def test_calls_that_go_on_are_seen_by_their_account(
    database: Database, tmp_path: Path
) -> None:
    """The newest first; nobody else sees them."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.calls[desk.mine.account] = [live("sess_1", seconds=60.0), live("sess_2")]
    got = await desk.mine.ask("GET /v1/console/live")
    assert [call["id"] for call in got.body["sessions"]] == ["sess_2", "sess_1"]
    assert got.body["sessions"][0] == {
        "id": "sess_2",
        "agent_id": None,
        "state": "thinking",
        "since_ms": 1_234,
        "created_at": "2026-09-21T14:13:20Z",
        "seconds": 12.346,
        "turns": 2,
        "interruptions": 1,
        "last_user": "Where is it?",
        "last_agent": "It is",
        "response_ms": 812.5,
        "providers": {"language_model": "openai"},
    }
    assert (await desk.theirs.ask("GET /v1/console/live")).body == {"sessions": []}


@pytest.mark.parametrize("path", ["live", "sessions", "sessions/s_1", "latency"])
async def test_a_key_that_may_not_read_sessions_sees_no_call(
    database: Database, tmp_path: Path, path: str
) -> None:
    """403, whatever else it may do."""
    desk = await ConsoleDesk(database, tmp_path).open()
    _, key = create(database, scopes=("calls", "agents", "usage", "operator"))
    app = Api(desk.operations(keys_of(database)))
    got = await ask(app, f"GET /v1/console/{path}", authorization=key)
    assert (got.status, got.body["code"]) == (403, "forbidden")
