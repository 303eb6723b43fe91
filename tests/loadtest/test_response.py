"""The measurement of the response, from its options to its report."""

from itertools import chain, repeat
from pathlib import Path

import pytest

from antiphon.wav import write_wav
from clients.fake_agent import FakeAgent, silence, tone
from loadtest.measuring import answering, clips_in, measure


async def test_turns_are_measured_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over several calls, with stages, word errors and progress."""
    clips = clips_in(tmp_path, "hello there", "")
    script = answering(lambda: FakeAgent(repeat("Hello, bear!")))
    code, report = await measure(
        script, tmp_path, "response", "--clips", str(clips), "--turns", "6"
    )
    assert code == 0
    assert report["unanswered"] == 0
    assert [turn["clip"] for turn in report["turns"]] == ["0.wav", "1.wav"] * 3
    heard = report["summary"]["response, as heard"]
    assert heard["count"] == 6
    assert 40 <= heard["p50"] <= heard["p95"] <= heard["max"]
    assert report["summary"]["server_overhead"]["p95"] == 2.0
    # Texts are known of every other turn: one of two words is wrong.
    assert report["word_error_rate"] == 0.5
    assert report["turns"][1]["word_error_rate"] is None
    shown = capsys.readouterr().out
    assert "turn 6 of 6  1.wav" in shown
    assert "word error rate  50.0 %" in shown
    assert "█" in shown


@pytest.mark.parametrize(
    "missed", [("--p50", "1"), ("--p95", "1"), ("--overhead", "1.9"), ("--wer", "10")]
)
async def test_each_objective_that_is_missed_fails_the_run(
    tmp_path: Path, missed: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and the objective is named."""
    clips = clips_in(tmp_path, "goodbye")
    script = answering(lambda: FakeAgent(repeat("Hello!")))
    arguments = ("response", "--clips", str(clips), "--turns", "1", *missed)
    code, report = await measure(script, tmp_path, *arguments)
    assert code == 1
    assert [one["met"] for one in report["objectives"]] == [True, False]
    assert "missed" in capsys.readouterr().out


async def test_objectives_that_are_met_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0."""
    clips = clips_in(tmp_path, "hello")
    script = answering(lambda: FakeAgent(repeat("Hello!")))
    arguments = ("--p50", "9999", "--p95", "9999", "--overhead", "2", "--wer", "0")
    code, report = await measure(
        script, tmp_path, "response", "--clips", str(clips), "--turns", "1", *arguments
    )
    assert code == 0
    assert all(one["met"] for one in report["objectives"])
    assert "met     server overhead p95: 2 ms" in capsys.readouterr().out


async def test_an_agent_that_cuts_in_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fast response that interrupts people is no good response."""
    clips = clips_in(tmp_path, "hello")
    write_wav(clips / "0.wav", tone(200) + silence(300) + tone(200), 24_000)
    impatient = answering(lambda: FakeAgent(repeat("Hello!"), sound_ms=400))
    code, report = await measure(
        impatient, tmp_path, "response", "--clips", str(clips), "--turns", "1"
    )
    assert code == 0
    assert report["turns"][0]["cut_in"]
    assert "cut in before the caller had finished: 1 of 1 turns" in capsys.readouterr().out


async def test_a_turn_without_an_answer_fails_the_run_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a new call, since the old one is not known to be well."""
    monkeypatch.setattr("antiphon_loadtest.response.PATIENCE_S", 0.2)
    clips = clips_in(tmp_path, "hello")
    patience = chain([1e9], repeat(60.0))
    script = answering(lambda: FakeAgent(repeat("Hello!"), patience_ms=next(patience)))
    code, report = await measure(
        script, tmp_path, "response", "--clips", str(clips), "--turns", "3"
    )
    assert code == 1
    assert report["unanswered"] == 1
    assert len(report["turns"]) == 2
