"""The options of ``antiphon keys create``."""

from __future__ import annotations

import argparse

import pytest

from antiphon_server.keys_options import add_create
from antiphon_server.security.admission import ALL_SCOPES

NAMED = ["--name", "test"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_create(parser)
    return parser


def test_a_name_is_all_that_is_needed() -> None:
    """Everything else has a default: all scopes, any origin, the settings' limits, for ever."""
    assert vars(_parser().parse_args(["--name", " Web shop "])) == {
        "name": "Web shop", "account": "default", "scope": None, "origin": None,
        "max_sessions": None, "sessions_per_minute": None, "expires_in": None,
    }  # fmt: skip


def test_each_option_is_read() -> None:
    """Scopes and origins as often as there are."""
    written = (
        "--account shop --scope calls --scope usage --origin https://A.example/ "
        "--origin http://localhost:3000 --max-sessions 3 --sessions-per-minute 60 --expires-in 90d"
    )
    args = _parser().parse_args([*NAMED, *written.split()])
    assert (args.account, args.scope) == ("shop", ["calls", "usage"])
    assert args.origin == ["https://a.example", "http://localhost:3000"]
    assert (args.max_sessions, args.sessions_per_minute) == (3, 60)
    assert args.expires_in == 90 * 86_400


@pytest.mark.parametrize(("written", "seconds"), [("1m", 60), ("12h", 43_200), ("52w", 31_449_600)])
def test_a_time_has_a_unit(written: str, seconds: int) -> None:
    """Minutes, hours, days or weeks."""
    assert _parser().parse_args([*NAMED, "--expires-in", written]).expires_in == seconds


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--name", "", "1 to 200"),
        ("--name", " ", "1 to 200"),
        ("--name", "x" * 201, "1 to 200"),
        ("--name", "a\nb", "printed"),
        ("--name", "a\x1b[2Jb", "printed"),
        ("--name", "\udcff", "printed"),
        ("--account", "", "letters"),
        ("--account", "a b", "letters"),
        ("--account", "x" * 129, "letters"),
        ("--account", "ä", "letters"),
        ("--scope", "everything", "usage"),
        ("--origin", "*", "https://app.example.com"),
        ("--origin", "null", "https://app.example.com"),
        ("--max-sessions", "0", "from 1"),
        ("--max-sessions", "-1", "from 1"),
        ("--max-sessions", "1.5", "from 1"),
        ("--max-sessions", "9999999999", "from 1"),
        ("--sessions-per-minute", "٣", "from 1"),
        ("--sessions-per-minute", "many", "from 1"),
        ("--expires-in", "90", "90d"),
        ("--expires-in", "0d", "90d"),
        ("--expires-in", "-1d", "90d"),
        ("--expires-in", "1y", "90d"),
        ("--expires-in", "9999999d", "90d"),
        ("--expires-in", "999999w", "a hundred years"),
        ("--expires-in", "36501d", "a hundred years"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    option: str, value: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and what would be right."""
    with pytest.raises(SystemExit) as stopped:
        _parser().parse_args([*NAMED, f"{option}={value}"])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert f"argument {option}" in error
    assert word in error


def test_every_option_is_explained() -> None:
    """``--help`` names each with a word about it, and every scope."""
    parser = _parser()
    for action in parser._actions:
        assert action.help
    assert all(scope in parser.format_help() for scope in ALL_SCOPES)
