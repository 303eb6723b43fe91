"""The measurement of many callers at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.fake_agent import FakeAgent
from clients.fake_server import Peer
from loadtest.measuring import answering, clips_in, measure

TEXTS = (
    "the first of all the callers",
    "a second voice among many others",
    "here speaks number three on the line",
)


class ByLength(Iterator[str]):
    """Recognises the clips of a test by the length of their tone."""

    def __init__(self, texts: tuple[str, ...] = TEXTS) -> None:
        self.texts = texts
        self.agent: FakeAgent | None = None

    def __next__(self) -> str:
        assert self.agent is not None
        return self.texts[round((self.agent.voiced_ms - 200) / 100)]


def _listening(texts: tuple[str, ...] = TEXTS) -> FakeAgent:
    heard = ByLength(texts)
    heard.agent = FakeAgent(heard)
    return heard.agent


async def test_everybody_gets_their_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each caller has a call, a clip and a row of their own."""
    clips = clips_in(tmp_path, *TEXTS)
    code, report = await measure(
        answering(_listening), tmp_path, "callers", "--n", "3", "--clips", str(clips)
    )
    assert code == 0
    assert [one["transcript"] for one in report["callers"]] == list(TEXTS)
    assert [one["rate"] for one in report["callers"]] == [0, 0, 0]
    assert report["response"]["count"] == 3
    shown = capsys.readouterr().out
    assert "met     callers given another's words: 0" in shown
    assert "2.wav" in shown


async def test_another_callers_words_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and the words are shown."""
    clips = clips_in(tmp_path, *TEXTS)
    mixed = (TEXTS[0], f"a second voice {TEXTS[0]}", TEXTS[2])
    code, report = await measure(
        answering(lambda: _listening(mixed)),
        tmp_path, "callers", "--n", "3", "--clips", str(clips),
    )  # fmt: skip
    assert code == 1
    assert [one["leak"] for one in report["callers"]] == [None, "the first of all", None]
    assert "the first of all" in capsys.readouterr().out


async def test_without_texts_a_call_alone_says_what_is_right(tmp_path: Path) -> None:
    """One more call for each clip, before the others."""
    clips = clips_in(tmp_path, "", TEXTS[1])
    calls = []

    def make() -> FakeAgent:
        calls.append(1)
        return _listening()

    code, report = await measure(
        answering(make), tmp_path, "callers", "--n", "2", "--clips", str(clips)
    )
    assert code == 0
    assert len(calls) == 3
    assert report["callers"][0]["text"] == TEXTS[0]


async def test_a_caller_whose_call_breaks_off_fails_the_run(tmp_path: Path) -> None:
    """The others are measured all the same."""
    clips = clips_in(tmp_path, *TEXTS[:2])
    whole = answering(_listening)
    accepted = iter([False, True])

    async def script(peer: Peer) -> None:
        if next(accepted):
            await whole(peer)
        else:
            await peer.accept()
            await peer.socket.close(1011)

    code, report = await measure(script, tmp_path, "callers", "--n", "2", "--clips", str(clips))
    assert code == 1
    failures = sorted(str(one["failure"]) for one in report["callers"])
    assert failures[0] == "None"
    assert "1011" in failures[1]


async def test_objectives_are_judged(tmp_path: Path) -> None:
    """Response and word errors of the worst caller."""
    clips = clips_in(tmp_path, TEXTS[0], "quite something else")
    arguments = ("--n", "2", "--clips", str(clips), "--p50", "9999", "--p95", "1", "--wer", "50")
    code, report = await measure(answering(_listening), tmp_path, "callers", *arguments)
    assert code == 1
    met = {one["name"]: one["met"] for one in report["objectives"]}
    assert met["response p50"]
    assert not met["response p95"]
    assert not met["worst word error rate"]
