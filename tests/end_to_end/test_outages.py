"""The database of a running server goes away and comes back: calls and records survive."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
import urllib.request
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError

import msgspec
import pytest

import antiphon as sdk
from end_to_end.product import antiphon
from hostile.serving import STOP_SECONDS, Server, serving
from postgres import Postgres

WAIT_SECONDS = 20.0
PAUSE_SECONDS = 0.05


def _ask(server: Server, path: str, key: str) -> tuple[int, str | None, bytes]:
    """Status, ``Retry-After`` and body of a GET with a key."""
    request = urllib.request.Request(
        f"http://{server.host}:{server.port}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310
            return answer.status, None, answer.read()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers["Retry-After"], refused.read()


async def _heard(call: sdk.Call) -> None:
    """The reply that is under way was said to its end."""
    async for event in call:
        if isinstance(event, sdk.ReplyDone):
            return


async def _whole_call(server: Server, key: str) -> str:
    """A call that ends well; its session's id."""
    async with sdk.connect(server.ws, key, greeting="Good evening.") as call:
        await _heard(call)
    return call.session_id


async def _until_stored(server: Server, key: str, ids: set[str]) -> None:
    """REST has these sessions, each with its end; it may still have to find its database again."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            status, _, body = await asyncio.to_thread(_ask, server, "/v1/sessions", key)
            if status == HTTPStatus.OK:
                rows = msgspec.json.decode(body)["sessions"]
                if {row["id"] for row in rows if row["status"] == "completed"} == ids:
                    return
            await asyncio.sleep(PAUSE_SECONDS)


def _until_it_listens_no_more(server: Server) -> None:
    """It has taken the signal, and ends."""
    end = time.monotonic() + WAIT_SECONDS
    with contextlib.suppress(ConnectionError):
        while True:
            socket.create_connection((server.host, server.port), WAIT_SECONDS).close()
            assert time.monotonic() < end


def _key(variables: dict[str, str]) -> str:
    """A key in the database of these settings."""
    return antiphon("keys", "create", "--name", "web", **variables).stdout.strip()


async def test_calls_and_records_survive_an_outage_of_the_database(
    away: Postgres, tmp_path: Path
) -> None:
    """A call that is under way goes on, a new one opens with a key that was used before, REST asks
    to come back; then nothing is missing.
    """
    variables = {"ANTIPHON_DATA_DIR": str(tmp_path / "data"), "ANTIPHON_DATABASE_URL": away.url()}
    key = _key(variables)
    with serving(tmp_path / "log", **variables) as server:
        before = await _whole_call(server, key)
        async with sdk.connect(server.ws, key, greeting="Good evening.") as call:
            await _heard(call)
            away.stop()
            status, retry_after, body = await asyncio.to_thread(_ask, server, "/v1/agents", key)
            assert (status, retry_after) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
            assert b"try again" in body
            await call.create_reply()
            await _heard(call)
            during = await _whole_call(server, key)
        away.start()
        await _until_stored(server, key, {before, call.session_id, during})
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert key not in server.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_ends_a_server_that_waits_for_its_database(
    away: Postgres, tmp_path: Path, number: signal.Signals
) -> None:
    """Without a trace and with exit status 0; what was said is there after the next start."""
    variables = {"ANTIPHON_DATA_DIR": str(tmp_path / "data"), "ANTIPHON_DATABASE_URL": away.url()}
    key = _key(variables)
    with serving(tmp_path / "log", **variables) as server:
        first = await _whole_call(server, key)
        away.stop()
        last = await _whole_call(server, key)
        server.process.send_signal(number)
        await asyncio.to_thread(_until_it_listens_no_more, server)
        server.process.send_signal(number)
        assert await asyncio.to_thread(server.process.wait, STOP_SECONDS) == 0
        assert "records wait in the spool for the next start" in server.log
        assert "Traceback" not in server.log
    away.start()
    with serving(tmp_path / "log", **variables) as server:
        await _until_stored(server, key, {first, last})
