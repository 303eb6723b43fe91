"""``antiphon talk`` from its options to its exit code."""

import argparse
import asyncio
import json
import socket
import sys
import wave
from itertools import repeat
from pathlib import Path

import pytest

from antiphon.talk import talk
from antiphon.wav import write_wav
from antiphon_protocol.voice_agent import SendAudio, SessionEnded, SessionError, UpdateSession
from clients.fake_agent import FakeAgent, silence, tone
from clients.fake_server import Peer, Script, serving
from clients.fake_sound_library import FakeSoundLibrary


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replies are written where the command is run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """A recording of half a second."""
    path = tmp_path / "question.wav"
    write_wav(path, silence(60) + tone(300) + silence(100), 24_000)
    return path


async def _agent(peer: Peer) -> None:
    await peer.accept()
    await peer.converse(FakeAgent(repeat("What is it?")))


async def _run(*arguments: str | Path, script: Script = _agent) -> int:
    """The exit code of the command, called against a server that runs ``script``."""
    async with serving(script) as server:
        return await asyncio.to_thread(_talk, "--url", server.url, *arguments)


def _talk(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    talk.add_arguments(parser)
    return talk.run(parser.parse_args([str(argument) for argument in arguments]))


async def test_the_answer_is_written_beside_the_caller(question: Path, tmp_path: Path) -> None:
    """As reply.wav, where no other name is given."""
    assert await _run(question) == 0
    with wave.open(str(tmp_path / "reply.wav")) as reply:
        assert reply.getnframes() > 0


async def test_a_recording_is_spoken_and_the_answer_shown(
    question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Transcript, reply, stages; the reply is written as a WAV of its encoding's rate."""
    out = tmp_path / "reply.wav"
    assert await _run(question, question, "--out", out) == 0
    shown = capsys.readouterr().out
    assert shown.count("you     What is it?") == 2
    assert shown.count("agent   Well, indeed.") == 2
    assert "response, as heard" in shown
    assert "server overhead" in shown
    assert "\x1b" not in shown
    with wave.open(str(out)) as file:
        assert file.getframerate() == 24_000
        assert file.getnframes() == 2 * 120 * 24


async def test_g711_on_the_wire_is_a_g711_rate_in_the_file(question: Path, tmp_path: Path) -> None:
    """The reply is written as it was heard."""
    out = tmp_path / "reply.wav"
    assert await _run(question, "--encoding", "pcma", "--out", out) == 0
    with wave.open(str(out)) as file:
        assert file.getframerate() == 8000


async def test_json_is_the_only_thing_on_the_output(
    question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People's text goes to the standard error."""
    assert await _run(question, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["session_id"] == "sess_1"
    assert report["error"] is None
    (turn,) = report["turns"]
    assert turn["transcript"] == "What is it?"
    assert turn["stages"]["server_overhead"] == 2.0


async def test_options_become_settings_of_the_session(question: Path) -> None:
    """Those not given are left to the server."""
    seen = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        seen.extend(peer.received)
        assert peer.path.endswith("?timeline=1")
        await peer.socket.close(1000)

    code = await _run(question, "--voice", "alba", "--prompt", "P", "--key", "k", script=script)
    assert code == 1
    (update,) = seen
    assert isinstance(update, UpdateSession)
    assert update.session is not None
    assert update.session.system_prompt == "P"
    assert "greeting" not in str(update.session).replace("greeting=UNSET", "")


def test_without_a_server_it_says_how_to_start_one(
    question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}"
        assert _talk(question, "--url", url) == 3
    assert "antiphon serve" in capsys.readouterr().err


async def test_a_wrong_key_is_told_apart(
    question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 4, and where a key may be given."""

    async def refuse(peer: Peer) -> None:
        await peer.send(SessionError(code="unauthorized", message="Authentication failed"))
        await peer.socket.close(1008)

    assert await _run(question, script=refuse) == 4
    assert "$ANTIPHON_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"", "is empty"), (b"hello", "is not a WAV file")]
)
def test_a_file_that_cannot_be_used_is_found_before_anybody_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    """Exit code 2."""
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    assert _talk(path, "--url", "ws://127.0.0.1:1") == 2
    assert complaint in capsys.readouterr().err


def test_an_address_that_is_none_is_refused(
    question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before files are spoken to nobody."""
    assert _talk(question, "--url", "nowhere") == 3
    assert "is not the address of a server" in capsys.readouterr().err


async def test_a_call_that_breaks_off_is_a_failure(
    question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, with the close code."""

    async def drop(peer: Peer) -> None:
        await peer.accept()
        await peer.receive(SendAudio)
        await peer.socket.close(1011)

    assert await _run(question, script=drop) == 1
    assert "close code 1011" in capsys.readouterr().err


def test_a_microphone_that_is_not_there_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anybody is called."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert _talk("--mic", "--url", "ws://127.0.0.1:1") == 1
    assert "pip install 'antiphon[mic]'" in capsys.readouterr().err


async def test_the_microphone_is_sent_and_the_answer_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until the session ends; what the microphone gives reaches the agent."""
    library = FakeSoundLibrary()
    monkeypatch.setitem(sys.modules, "sounddevice", library)

    async def script(peer: Peer) -> None:
        await peer.accept()
        microphone = await library.in_use()
        agent = FakeAgent(repeat("What is it?"))
        for sound in (tone(100), silence(400)):
            microphone.callback(sound)
            await peer.receive(SendAudio)
            for start in range(0, len(sound), 960):
                await peer.send(*agent.hear(sound[start : start + 960]))
        await peer.send(SessionEnded(session_duration_seconds=1, audio_duration_seconds=None))

    assert await _run("--mic", script=script) == 0
    shown = capsys.readouterr().out
    assert "speak; Ctrl-C ends the call" in shown
    assert "agent   Well, indeed." in shown
    assert "endpointing" in shown
