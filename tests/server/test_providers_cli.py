"""``antiphon providers``: which there are, and whether one works."""

from __future__ import annotations

import argparse
import json

import pytest

from antiphon_providers import registry
from antiphon_server.providers_cli import FAILED, WRONG_USE, Providers


def run(*words: str) -> int:
    """Runs the command as ``antiphon`` does; its exit code."""
    command = Providers()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_the_list_has_every_provider_with_its_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For people, by stage; for programs, the same."""
    assert run("list") == 0
    page = capsys.readouterr().out
    assert run("list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["stage"], row["name"]) for row in rows} == {
        (stage, name) for stage in registry.STAGES for name in registry.installed(stage)
    }
    assert all(row["name"] in page for row in rows)
    (openai,) = [row for row in rows if (row["stage"], row["name"]) == ("language_model", "openai")]
    assert openai["options"]["model"] == "As the endpoint calls it."
    assert "As the endpoint calls it." in page


def test_a_provider_that_works_is_shown_with_its_times(capsys: pytest.CaptureFixture[str]) -> None:
    """Each stage that has the name; exit code 0."""
    assert run("check", "scripted") == 0
    shown = capsys.readouterr().out
    for words in ("language model  scripted", "text to speech  scripted", "first audio", "works"):
        assert words in shown
    assert run("check", "scripted", "--stage", "language_model", "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["stage"], report["failure"]) == ("language_model", None)
    assert {"first token", "said"} <= {finding["name"] for finding in report["findings"]}


def test_speech_is_made_for_those_that_hear(capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded voice speaks to the embedded recogniser, and is understood."""
    assert run("check", "moonshine") == 0
    assert "kettle" in capsys.readouterr().out


def test_a_provider_that_does_not_work_is_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason; options come from the environment, and the command line wins."""
    monkeypatch.setenv("ANTIPHON_LLM", "scripted")
    monkeypatch.setenv("ANTIPHON_LLM_REPLIES", "From the environment.")
    monkeypatch.setenv("ANTIPHON_LLM_FAULT", "unavailable at open")
    words = ("check", "scripted", "--stage", "language_model")
    assert run(*words) == FAILED
    assert "failed: " in capsys.readouterr().out
    assert run(*words, "--option", "fault=") == 0
    assert "From the environment." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("check", "nothing"), "there is no provider 'nothing'; installed: "),
        (("check", "scripted", "--option", "colour=red"), "cannot use its settings"),
        ((), "usage"),
    ],
)
def test_what_cannot_be_checked_is_told(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    """On standard error, with exit code 2."""
    assert run(*words) == WRONG_USE
    told = capsys.readouterr()
    assert reason in told.err
    assert told.out == ""
