"""The measurement of openings."""

from itertools import repeat
from pathlib import Path

import pytest

from antiphon_protocol import codec
from antiphon_protocol.voice_agent import CreateReply, EndSession, SendAudio, SessionEnded
from clients.fake_agent import FakeAgent
from clients.fake_server import Peer
from loadtest.measuring import clips_in, measure

OPENINGS = "openings"


async def _obeying(peer: Peer) -> None:
    """A server that answers what is said, and replies when it is asked to."""
    await peer.accept()
    agent = FakeAgent(repeat("hello"))
    while True:
        message = codec.decode_client(await peer.socket.recv())
        if isinstance(message, SendAudio):
            await peer.send(*agent.hear(codec.decode_base64(message.audio)))
        elif isinstance(message, CreateReply):
            await peer.send(*agent.greet())
        elif isinstance(message, EndSession):
            ended = SessionEnded(session_duration_seconds=1.0, audio_duration_seconds=None)
            await peer.send(ended)
            return


async def test_sessions_are_opened_and_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each twice: to its readiness, and to its reply."""
    clips = str(clips_in(tmp_path, "hello"))
    limits = ("--ready", "60000", "--reply", "60000")
    code, report = await measure(
        _obeying, tmp_path, OPENINGS, "--n", "3", "--callers", "0", "--clips", clips, *limits
    )
    assert code == 0
    assert [one["count"] for one in report["summary"].values()] == [3, 3]
    assert all(one["ready_ms"] > 0 and one["reply_ms"] > 0 for one in report["openings"])
    assert "reply.create to reply.started" in capsys.readouterr().out


async def test_what_was_promised_is_judged_by_the_99th_percentile(tmp_path: Path) -> None:
    """Nothing is as fast as no time at all."""
    clips = str(clips_in(tmp_path, "hello"))
    code, report = await measure(
        _obeying, tmp_path, OPENINGS, "--n", "2", "--callers", "0", "--clips", clips,
        "--ready", "0", "--reply", "60000",
    )  # fmt: skip
    assert code == 1
    met = {one["name"]: one["met"] for one in report["objectives"]}
    assert met == {
        "others whose call broke off": True,
        "session.ready, p99": False,
        "reply.started, p99": True,
    }


async def test_a_call_of_another_that_breaks_off_is_told(tmp_path: Path) -> None:
    """What was measured beside fewer callers than were promised is no figure."""
    clips = str(clips_in(tmp_path, "hello"))
    others = iter([True, False])

    async def script(peer: Peer) -> None:
        if next(others):
            await peer.socket.close(1011)
        else:
            await _obeying(peer)

    code, report = await measure(
        script, tmp_path, OPENINGS, "--n", "1", "--callers", "1", "--clips", clips
    )
    assert code == 1
    assert "1011" in report["failures_of_others"][0]
