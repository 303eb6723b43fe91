"""A database that hangs and a disk that is full, under a server that runs: it says that it is not
ready and why, calls that run go on, and it is ready again by itself.
"""

from __future__ import annotations

import asyncio
import json
import resource
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

import antiphon as sdk
from hostile.serving import Server, serving
from postgres import Postgres

WAIT_SECONDS = 20.0
PAUSE_SECONDS = 0.05
NO_FILE_BEYOND = 2_000
"""Bytes: less than a block, so that no file of the server can grow."""


def _ready(server: Server) -> tuple[int, Any]:
    """Status and body of ``/readyz``."""
    try:
        address = f"{server.http}/readyz"
        with urllib.request.urlopen(address, timeout=WAIT_SECONDS) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


async def _until_ready(server: Server) -> None:
    """It would take a call."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if await asyncio.to_thread(_ready, server) == (HTTPStatus.OK, {"ready": True}):
                return
            await asyncio.sleep(PAUSE_SECONDS)


async def _until_unready(server: Server, reason: str) -> None:
    """It would take none, for this reason among others."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            status, body = await asyncio.to_thread(_ready, server)
            assert body["ready"] is (status == HTTPStatus.OK)
            if status == HTTPStatus.SERVICE_UNAVAILABLE and reason in body["reasons"]:
                return
            await asyncio.sleep(PAUSE_SECONDS)


async def _until_metric(server: Server, name: str) -> None:
    """It has counted something."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if await asyncio.to_thread(server.metric, name):
                return
            await asyncio.sleep(PAUSE_SECONDS)


async def _heard(call: sdk.Call) -> None:
    """The reply that is under way was said to its end."""
    async for event in call:
        if isinstance(event, sdk.ReplyDone):
            return


def _let_files_grow_to(server: Server, size: int) -> None:
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


async def test_a_database_that_hangs_makes_a_server_unready_and_hangs_nothing(
    away: Postgres, tmp_path: Path
) -> None:
    """The probe is answered all the while; the call that runs is, too, and its end is kept."""
    with serving(tmp_path / "log", ANTIPHON_DATABASE_URL=away.url()) as server:
        await _until_ready(server)
        async with sdk.connect(server.ws, greeting="Good evening.") as call:
            await _heard(call)
            away.pause()
            await _until_unready(server, "the database does not answer")
            assert json.loads(server.get("/healthz")) == {"status": "ok"}
            assert server.metric('antiphon_not_ready{reason="database"}') == 1
            await call.create_reply()
            await _heard(call)
            away.resume()
            await _until_ready(server)
            await call.create_reply()
            await _heard(call)
        assert server.metric('antiphon_not_ready{reason="database"}') == 0
        assert server.stop() == 0
        assert "Traceback" not in server.log


async def test_a_full_disk_refuses_new_calls_and_ends_none(tmp_path: Path) -> None:
    """``at_capacity`` until there is room; what of the running call was lost is counted."""
    journals = str(tmp_path / "journals")
    with serving(tmp_path / "log", ANTIPHON_JOURNAL_DIR=journals) as server:
        async with sdk.connect(server.ws, greeting="Good evening.") as call:
            await _heard(call)
            _let_files_grow_to(server, NO_FILE_BEYOND)
            await _until_unready(server, "records of calls cannot be written: File too large")
            await _until_unready(server, "journals of calls cannot be written: File too large")
            with pytest.raises(sdk.AtCapacity):
                async with sdk.connect(server.ws):
                    pass
            for _ in range(8):
                await call.create_reply()
                await _heard(call)
            await _until_metric(server, "antiphon_records_lost_total")
            assert server.metric("antiphon_journals_broken_total") == 1
            _let_files_grow_to(server, resource.RLIM_INFINITY)
            await _until_ready(server)
            async with sdk.connect(server.ws, greeting="Good evening.") as another:
                await _heard(another)
            await call.create_reply()
            await _heard(call)
        assert server.metric('antiphon_sessions_ended_total{ending="failed"}') == 0
        assert server.stop() == 0
        assert "Traceback" not in server.log
