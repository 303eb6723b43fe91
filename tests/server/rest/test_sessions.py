"""``/v1/sessions``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import sqlalchemy as sa

from antiphon_server.rest.sessions import SETTLE_SECONDS
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import StorageFailed
from antiphon_server.store.database import Database
from antiphon_server.store.tables import session_records
from server.rest.rest_client import ask
from server.rest.session_desk import Desk
from server.rest.two_accounts import assert_hidden
from server.store.ended_sessions import AT, Told, count


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    """The API, with nothing in it."""
    return await Desk(database, tmp_path).open()


# --- lists ---------------------------------------------------------------------------------


async def test_sessions_are_listed_newest_first(desk: Desk) -> None:
    """Every field of section 6.3; what is not known yet is null; times are in UTC."""
    await desk.had(
        desk.of_mine("s_1", agent_id="agent_1"),
        desk.of_mine("s_2", at=AT + 100, seconds=None),
        Told("s_3", desk.theirs.account),
    )
    got = await desk.mine.ask("GET /v1/sessions")
    assert got.status == 200
    assert got.headers["cache-control"] == "no-store"
    assert got.body == {
        "sessions": [
            {
                "id": "s_2",
                "agent_id": None,
                "status": "created",
                "public_close_reason": None,
                "duration_seconds": None,
                "created_at": "2026-09-21T14:15:00.500000Z",
                "ended_at": None,
            },
            {
                "id": "s_1",
                "agent_id": "agent_1",
                "status": "completed",
                "public_close_reason": "client_end",
                "duration_seconds": 12.5,
                "created_at": "2026-09-21T14:13:20.500000Z",
                "ended_at": "2026-09-21T14:13:33Z",
            },
        ],
        "has_more": False,
        "response_metadata": {"next_cursor": ""},
    }


async def test_a_list_is_read_in_pages(desk: Desk) -> None:
    """Each session once, also those that began in the same moment."""
    await desk.had(*(desk.of_mine(f"s_{number}", at=AT + number // 3) for number in range(10)))
    seen, cursor, pages = [], "", 0
    while True:
        got = await desk.mine.ask(f"GET /v1/sessions?limit=4&cursor={quote(cursor)}")
        seen += [session["id"] for session in got.body["sessions"]]
        cursor, pages = got.body["response_metadata"]["next_cursor"], pages + 1
        assert got.body["has_more"] == bool(cursor)
        if not cursor:
            break
    assert (pages, seen) == (3, [f"s_{number}" for number in range(9, -1, -1)])


async def test_a_list_can_be_narrowed(desk: Desk) -> None:
    """To a status, to an agent, to both; an empty filter is none."""
    await desk.had(
        desk.of_mine("s_1", agent_id="agent_1"),
        desk.of_mine("s_2", agent_id="agent_1", seconds=None),
        desk.of_mine("s_3"),
        Told("s_4", desk.theirs.account, agent_id="agent_1"),
    )
    for query, expected in {
        "": {"s_1", "s_2", "s_3"},
        "status=created": {"s_2"},
        "status=completed": {"s_1", "s_3"},
        "agent_id=agent_1": {"s_1", "s_2"},
        "agent_id=agent_1&status=completed": {"s_1"},
        "agent_id=nobody": set(),
        "agent_id=agent_1%00": set(),
        "agent_id=": {"s_1", "s_2", "s_3"},
    }.items():
        got = await desk.mine.ask(f"GET /v1/sessions?{query}")
        assert {session["id"] for session in got.body["sessions"]} == expected


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("status=live", "status"),
        ("status=", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(desk: Desk, query: str, param: str) -> None:
    """With the parameter that is wrong."""
    got = await desk.mine.ask(f"GET /v1/sessions?{query}")
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", param)


# --- one session ---------------------------------------------------------------------------


async def test_a_session_has_its_configuration_and_links(desk: Desk) -> None:
    """Absolute, to where the request was sent; audio only where it was recorded."""
    await desk.had(desk.of_mine("s_1", is_recorded=True), desk.of_mine("s_2"))
    got = await ask(
        desk.mine.app, "GET /v1/sessions/s_1", authorization=desk.mine.key, host="voice.test:8400"
    )
    assert (got.status, got.body["config"]) == (200, {"system_prompt": "Prompt of s_1."})
    artifacts = got.body["artifacts"]
    assert [(one["type"], one["content_type"]) for one in artifacts] == [
        ("audio", "audio/ogg"),
        ("timeline", "application/json"),
        ("metadata", "application/json"),
    ]
    for one in artifacts:
        split = urlsplit(one["url"])
        assert (split.scheme, split.netloc) == ("http", "voice.test:8400")
        assert split.path == f"/v1/artifacts/s_1/{one['type']}"
        assert parse_qs(split.query)["expires"] == [str(int(desk.clock()) + 3_600)]
    assert list(await desk.links("s_2")) == ["timeline", "metadata"]


async def test_a_live_session_has_no_artifacts_yet(desk: Desk) -> None:
    """They come with its end."""
    await desk.had(desk.of_mine("s_1", seconds=None))
    got = await desk.mine.ask("GET /v1/sessions/s_1")
    assert (got.body["status"], got.body["artifacts"]) == ("created", [])


async def test_readers_see_what_was_just_recorded(desk: Desk) -> None:
    """Each waits for the ledger first, not for long."""
    await desk.had(desk.of_mine("s_1"))
    for target in ("GET /v1/sessions", "GET /v1/sessions/s_1", "DELETE /v1/sessions/s_1"):
        await desk.mine.ask(target)
    assert desk.settled == [SETTLE_SECONDS] * 3


async def test_links_begin_with_the_public_address(database: Database, tmp_path: Path) -> None:
    """Where one is set; whatever the request says then."""
    desk = Desk(database, tmp_path)
    desk.public_url = "https://voice.example.com/"
    await desk.open()
    await desk.had(desk.of_mine("s_1"))
    got = await desk.mine.ask("GET /v1/sessions/s_1")
    for one in got.body["artifacts"]:
        assert one["url"].startswith("https://voice.example.com/v1/artifacts/s_1/")


@pytest.mark.parametrize("host", ["evil/x?", "a b", "", "a@b", "x" + chr(10), "[::1]:80", "a:b"])
async def test_a_host_header_does_not_bend_a_link(desk: Desk, host: str) -> None:
    """What is no host is not repeated."""
    await desk.had(desk.of_mine("s_1"))
    got = await ask(desk.mine.app, "GET /v1/sessions/s_1", authorization=desk.mine.key, host=host)
    for one in got.body["artifacts"]:
        assert urlsplit(one["url"]).netloc == ("[::1]:80" if host == "[::1]:80" else "localhost")
        assert urlsplit(one["url"]).path.startswith("/v1/artifacts/s_1/")


class _Linked(Folder):
    """A storage that clients can reach themselves, unless it is away."""

    away = False

    async def link(self, key: str, seconds: int) -> str | None:
        if self.away:
            raise StorageFailed("nobody answers")
        return f"https://storage.example.com/{key}?{seconds}"


async def test_audio_is_linked_where_it_is_stored(database: Database, tmp_path: Path) -> None:
    """Where clients can reach the storage; if it cannot be asked, the link is to this server."""
    storage = _Linked(tmp_path / "kept")
    desk = await Desk(database, tmp_path, storage).open()
    await desk.had(desk.of_mine("s_1", is_recorded=True))
    got = await desk.mine.ask("GET /v1/sessions/s_1")
    assert got.body["artifacts"][0]["url"] == "https://storage.example.com/s_1.ogg?3600"
    storage.away = True
    got = await desk.mine.ask("GET /v1/sessions/s_1")
    assert got.body["artifacts"][0]["url"].startswith("http://localhost/v1/artifacts/s_1/audio?")


# --- deletion ------------------------------------------------------------------------------


async def test_deletion_really_deletes(desk: Desk) -> None:
    """204, and then there is nothing: no session, no link, no audio, no word in the database."""
    await desk.had(desk.of_mine("s_1", is_recorded=True), desk.of_mine("s_2", is_recorded=True))
    links = await desk.links("s_1")
    got = await desk.mine.ask("DELETE /v1/sessions/s_1")
    assert (got.status, got.raw) == (204, b"")
    for link in links.values():
        answer = await desk.read(link)
        assert (answer.status, answer.body["code"]) == (404, "session_not_found")
    for target in ("GET /v1/sessions/s_1", "DELETE /v1/sessions/s_1"):
        answer = await desk.mine.ask(target)
        assert (answer.status, answer.body["code"]) == (404, "session_not_found")
    listed = await desk.mine.ask("GET /v1/sessions")
    assert [session["id"] for session in listed.body["sessions"]] == ["s_2"]
    assert [path.name for path in (desk.folder / "kept").iterdir()] == ["s_2.ogg"]
    assert count(desk.database, session_records) == 5
    everything = sa.select(session_records.c.body)
    rows = desk.database.now(lambda connection: connection.execute(everything).scalars().all())
    assert "Words of s_1" not in str(rows)


async def test_a_live_session_can_be_deleted(desk: Desk) -> None:
    """It is gone for its account; the call itself goes on."""
    await desk.had(desk.of_mine("s_1", seconds=None))
    assert (await desk.mine.ask("DELETE /v1/sessions/s_1")).status == 204
    assert (await desk.mine.ask("GET /v1/sessions/s_1")).status == 404


# --- accounts ------------------------------------------------------------------------------


async def test_a_session_of_another_account_does_not_exist(desk: Desk) -> None:
    """Nor can it be deleted from there (reliability: T16)."""
    await desk.had(desk.of_mine("s_12345678", is_recorded=True))
    for target in ("GET /v1/sessions/{}", "DELETE /v1/sessions/{}"):
        await assert_hidden(desk.theirs, target, "s_12345678")
    assert (await desk.theirs.ask("GET /v1/sessions")).body["sessions"] == []
    assert (await desk.mine.ask("GET /v1/sessions/s_12345678")).status == 200


@pytest.mark.parametrize(
    "target", ["GET /v1/sessions", "GET /v1/sessions/s_1", "DELETE /v1/sessions/s_1"]
)
async def test_sessions_need_a_key(desk: Desk, target: str) -> None:
    """In the header."""
    await desk.had(desk.of_mine("s_1"))
    for authorization, code in ((None, "missing_authorization"), ("wrong", "unauthorized")):
        got = await ask(desk.mine.app, target, authorization=authorization)
        assert (got.status, got.body["code"]) == (401, code)
    assert (await desk.mine.ask("GET /v1/sessions/s_1")).status == 200


@pytest.mark.parametrize("session_id", ["%00", "..", "a b", "x" * 5_000, "é", "'; --"])
async def test_an_odd_id_is_not_found(desk: Desk, session_id: str) -> None:
    """Whatever it is made of."""
    for method in ("GET", "DELETE"):
        got = await desk.mine.ask(f"{method} /v1/sessions/{session_id}")
        assert (got.status, got.body["code"]) == (404, "session_not_found")
