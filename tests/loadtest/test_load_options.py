"""The command line of the load test."""

from __future__ import annotations

import pytest

from antiphon_loadtest.behaviour import Behaviour
from antiphon_loadtest.load_options import behaviour_of, parser, workers_for


def test_the_defaults_are_those_of_the_behaviour() -> None:
    """One place says what is usual."""
    assert behaviour_of(parser().parse_args([])) == Behaviour()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--barge-in", "2"), ("--drop", "often"), ("--duration", "0"), ("--turns", "5-2"),
        ("--turns", "a-b"), ("--frame-ms", "15"), ("--callers", "0"), ("--profile", "flood"),
        ("--server-pid", "1", "--metrics", "http://x/metrics"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, naming it."""
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(arguments)
    assert stopped.value.code == 2
    assert arguments[-2] in capsys.readouterr().err


def test_the_help_names_every_profile_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """It is complete, and can be drawn."""
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    said = capsys.readouterr().out
    for word in ("steady", "ramp", "storm", "soak", "mixed", "exit codes", "--find-capacity"):
        assert word in said


def test_workers_are_as_many_as_asked_for_and_at_least_one() -> None:
    """Few callers need one."""
    assert workers_for(parser().parse_args(["--workers", "7"])) == 7
    assert workers_for(parser().parse_args(["--callers", "3"])) == 1
