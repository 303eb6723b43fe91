"""The command against a real server with scripted providers, and against bad ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon_loadtest.command import main
from clients.fake_server import Peer
from clients.fake_server import serving as faking
from hostile.serving import Server, serving
from loadtest.loading import ARGUMENTS, folder_of_clips


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of this file."""
    with serving(tmp_path_factory.mktemp("server") / "log", ANTIPHON_API_KEYS="good") as one:
        yield one


def _run(server: Server, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    path = folder / "report.json"
    fixed = ("--url", server.ws, "--key", "good", "--clips", folder_of_clips(folder))
    code = main([*fixed, *ARGUMENTS, "--json", str(path), *arguments])
    return code, json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("profile", ["steady", "ramp", "storm", "soak", "mixed"])
def test_every_profile_talks_to_a_real_server(
    server: Server, tmp_path: Path, profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """All callers get into a call; the server's cost and every form of the report are there."""
    page, table = tmp_path / "report.html", tmp_path / "report.csv"
    _, report = _run(
        server, tmp_path, "--profile", profile, "--callers", "3", "--greeting", "",
        "--server-pid", str(server.process.pid), "--html", str(page), "--csv", str(table),
    )  # fmt: skip
    (run,) = report["runs"]
    assert max(point.get("callers", 0) for point in run["over_time"]) >= 2
    assert run["memory_mb"] is not None
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert len(table.read_text("utf-8").splitlines()) == 2
    assert f"{profile}  3 callers" in capsys.readouterr().out


def test_the_capacity_is_searched_for(server: Server, tmp_path: Path) -> None:
    """Held by all loads up to the most that may be tried; not held by any."""
    search = (
        "--duration",
        "1",
        "--find-capacity",
        "--callers",
        "1",
        "--most",
        "2",
        "--greeting",
        "",
    )
    code, report = _run(server, tmp_path, *search, "--objective", "errors <= 100%")
    assert (code, report["capacity"]) == (0, 2)
    assert [run["callers"] for run in report["runs"]] == [1, 2]
    second = tmp_path / "second"
    second.mkdir()
    code, report = _run(
        server, second, *search, "--callers", "2", "--objective", "connect max <= 0ms"
    )
    assert (code, report["capacity"]) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--url", "ws://127.0.0.1:1"), "antiphon serve"),
        (("--key", "bad"), "refused the key; give one with --key"),
        (("--clips", "/nowhere"), "/nowhere is not a folder"),
        (("--objective", "beauty <= 1%"), "'beauty' in 'beauty <= 1%' is not measured"),
        (("--html", "/nowhere/report.html"), "there is no folder /nowhere"),
        (("--server-pid", "4194305"), "there is no process 4194305"),
    ],
)
def test_what_cannot_be_measured_is_said_at_once_with_what_to_do(
    server: Server,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2."""
    fixed = ("--url", server.ws, "--key", "good", "--clips", folder_of_clips(tmp_path))
    assert main([*fixed, *ARGUMENTS, *arguments]) == 2
    assert said in capsys.readouterr().err


async def test_a_server_that_breaks_every_call_is_reported_by_kind(tmp_path: Path) -> None:
    """After the first try, which is answered: exit code 1, and the tool comes to its end."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.close(1011)

    path = tmp_path / "report.json"
    async with faking(script) as bad:
        code = await asyncio.to_thread(
            main,
            [
                *("--url", bad.url, "--clips", folder_of_clips(tmp_path), "--callers", "2"),
                *(*ARGUMENTS, "--json", str(path)),
            ],
        )
    errors = json.loads(path.read_text("utf-8"))["runs"][0]["errors"]
    assert code == 1
    assert errors["in a call: closed with 1011"] >= 1
