"""The command line of the load test."""

import asyncio
import json
import socket
from itertools import repeat
from pathlib import Path

import pytest

from antiphon_loadtest.__main__ import MEASUREMENTS, main
from clients.fake_agent import FakeAgent
from clients.fake_server import serving
from loadtest.measuring import answering, clips_in


@pytest.mark.parametrize("measurement", [[], *([name] for name in MEASUREMENTS)])
def test_help_is_complete(measurement: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each measurement says what it does, takes and returns."""
    with pytest.raises(SystemExit) as ended:
        main([*measurement, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "exit codes:" in said
    for word in ("--url", "--clips", "--json") if measurement else MEASUREMENTS:
        assert word in said


@pytest.mark.parametrize("arguments", [[], ["fly"], ["response", "--turns", "0"]])
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    """As argparse has it."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_without_a_server_it_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, for each measurement that opens one call at a time."""
    clips = str(clips_in(tmp_path, "hello"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}"
        for measurement in ("response", "barge-in"):
            assert main([measurement, "--url", url, "--clips", clips]) == 3
            assert "antiphon serve" in capsys.readouterr().err


def test_clips_that_cannot_be_used_are_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also too few of them for so many callers."""
    clips = str(clips_in(tmp_path, "hello"))
    assert main(["callers", "--n", "2", "--clips", clips]) == 2
    assert "2 callers need as many different clips; there are 1" in capsys.readouterr().err
    assert main(["response", "--clips", str(tmp_path / "nowhere")]) == 2


async def test_a_report_on_the_output_is_the_only_thing_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People's text goes to the standard error."""
    clips = str(clips_in(tmp_path, "hello"))
    async with serving(answering(lambda: FakeAgent(repeat("Hello.")))) as server:
        arguments = ["response", "--url", server.url, "--clips", clips, "--turns", "1"]
        assert await asyncio.to_thread(main, [*arguments, "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["measurement"] == "response"
    assert "turn 1 of 1" in captured.err
