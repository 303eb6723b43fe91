"""``/v1/console/latency``."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from antiphon_server.store.database import Database
from server.rest.console_desk import ConsoleDesk
from server.store.told_sessions import AT, Told

DAY = "from=2026-09-21&to=2026-09-22"


async def test_percentiles_are_told_by_stage_and_step(database: Database, tmp_path: Path) -> None:
    """Only steps in which there were turns."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", response_ms=700.0), Told("s_2", at=AT + 3_600, response_ms=900.0))
    got = await desk.mine.ask(f"GET /v1/console/latency?{DAY}&points=24")
    assert got.status == 200
    assert (got.body["step_seconds"], got.body["from"], got.body["to"]) == (
        3_600.0,
        "2026-09-21T00:00:00Z",
        "2026-09-22T00:00:00Z",
    )
    assert set(got.body["stages"]) == {"endpointing", "response"}
    response = got.body["stages"]["response"]
    assert [(point["at"], point["count"]) for point in response] == [
        ("2026-09-21T14:00:00Z", 1),
        ("2026-09-21T15:00:00Z", 1),
    ]
    assert [point["p50"] for point in response] == pytest.approx([700.0, 900.0], rel=0.03)
    assert response[0]["p50"] == response[0]["p99"]
    other = await desk.theirs.ask(f"GET /v1/console/latency?{DAY}&points=24")
    assert other.body["stages"] == {}


async def test_by_default_it_is_the_last_day(database: Database, tmp_path: Path) -> None:
    """In half hours."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", at=time.time() - 7_200), Told("s_2", at=time.time() - 200_000))
    got = await desk.mine.ask("GET /v1/console/latency")
    assert got.body["step_seconds"] == pytest.approx(1_800.0)
    assert [point["count"] for point in got.body["stages"]["response"]] == [1]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("points=0", "points"),
        ("points=501", "points"),
        ("points=many", "points"),
        ("from=then", "from"),
        ("to=later", "to"),
        ("from=2026-09-22&to=2026-09-21", "from"),
        ("from=2026-09-22&to=2026-09-22", "from"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    database: Database, tmp_path: Path, query: str, param: str
) -> None:
    """422, with the parameter."""
    desk = await ConsoleDesk(database, tmp_path).open()
    got = await desk.mine.ask(f"GET /v1/console/latency?{query}")
    assert (got.status, got.body["param"]) == (422, param)


@pytest.mark.parametrize(
    "query", ["from=0001-01-01&to=9999-12-31", "from=1970-01-01&to=1970-01-02"]
)
async def test_all_of_time_can_be_asked_for(database: Database, tmp_path: Path, query: str) -> None:
    """Or a time in which there was nothing."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1"))
    got = await desk.mine.ask(f"GET /v1/console/latency?{query}")
    assert got.status == 200
