"""The measurement of interruptions."""

from itertools import repeat
from pathlib import Path

import pytest

from clients.fake_agent import FakeAgent
from loadtest.measuring import answering, clips_in, measure


def _agent(**options: float) -> FakeAgent:
    return FakeAgent(repeat("Wait."), sound_ms=1000, **options)  # type: ignore[arg-type]


async def test_an_interruption_is_measured_from_the_voice_to_the_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """This agent decides at the first loud chunk and then sends nothing more."""
    clips = clips_in(tmp_path, "wait", "stop")
    code, report = await measure(
        answering(_agent, greets=True),
        tmp_path, "barge-in", "--turns", "2", "--after", "100", "--clips", str(clips),
    )  # fmt: skip
    assert code == 0
    assert [one["clip"] for one in report["interruptions"]] == ["0.wav", "1.wav"]
    for one in report["interruptions"]:
        assert one["decision_ms"] >= 0
        assert one["silence_ms"] == 0
        assert one["late_pieces"] == 0
    assert report["summary"]["voice to decision"]["count"] == 2
    shown = capsys.readouterr().out
    assert "turn 2 of 2  1.wav" in shown
    assert "met     sound after the end of its reply: 0 pieces" in shown


async def test_sound_after_the_end_of_its_reply_fails_the_run(tmp_path: Path) -> None:
    """Protocol section 4.8."""
    clips = clips_in(tmp_path, "wait")
    code, report = await measure(
        answering(lambda: _agent(late=True), greets=True),
        tmp_path, "barge-in", "--turns", "1", "--after", "100", "--clips", str(clips),
    )  # fmt: skip
    assert code == 1
    assert report["interruptions"][0]["late_pieces"] == 1


async def test_an_agent_that_speaks_on_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption that was never noticed fails the run; there is no figure for it."""
    monkeypatch.setattr("antiphon_loadtest.barge_in.TOO_LATE_S", 0.5)
    clips = clips_in(tmp_path, "wait")

    class Deaf(FakeAgent):
        """Never hears anybody."""

        def hear(self, samples: bytes) -> list:  # type: ignore[type-arg]
            """Goes on."""
            return super().hear(bytes(len(samples)))

    script = answering(lambda: Deaf(repeat(""), sound_ms=600), greets=True)
    code, report = await measure(
        script, tmp_path, "barge-in", "--turns", "1", "--after", "0", "--clips", str(clips)
    )
    assert code == 1
    assert report["interruptions"][0]["decision_ms"] is None
    assert report["summary"] == {}


@pytest.mark.parametrize("option", ["--decision", "--silence"])
async def test_objectives_are_judged(tmp_path: Path, option: str) -> None:
    """At a limit that nothing can be below, and at one that everything is below."""
    clips = clips_in(tmp_path, "wait")
    for limit, expected in (("-1", 1), ("9999", 0)):
        code, _ = await measure(
            answering(_agent, greets=True),
            tmp_path, "barge-in", "--turns", "1", "--after", "40", "--clips", str(clips),
            f"{option}={limit}",
        )  # fmt: skip
        assert code == expected
