"""What the guide and the examples show is run as it stands."""

import asyncio
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from antiphon.wav import read_wav, write_wav
from antiphon_protocol import codec
from antiphon_protocol.voice_agent import (
    AgentTranscript,
    CreateReply,
    GiveToolResult,
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    SendAudio,
    SessionEnded,
    ToolCall,
)
from clients.fake_agent import FakeAgent, silence, tone
from clients.fake_server import Peer, serving
from clients.fake_sound_library import FakeSoundLibrary

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "clients" / "python" / "examples"
GUIDE = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def _example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def _one_reply(peer: Peer) -> None:
    """Says one sentence, with sound, then waits for the goodbye."""
    await peer.accept()
    await peer.send(ReplyStarted(reply_id="r", item_id="m"))
    sound = codec.decode_server(codec.encode_reply_audio("r", tone(40)))
    assert isinstance(sound, ReplyAudio)
    await peer.send(
        sound,
        AgentTranscript(reply_id="r", item_id="m", text="Good evening.", interrupted=False),
        ReplyDone(reply_id="r", status="completed"),
    )
    await peer.end()


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
async def test_a_program_of_the_guide_runs(number: int) -> None:
    """Each block is a whole program; only the address is changed."""
    async with serving(_one_reply) as server:
        program = PROGRAMS[number].replace("ws://127.0.0.1:8400", server.url)
        code = compile(program, f"docs/sdk.md, program {number + 1}", "exec")
        await asyncio.to_thread(exec, code, {"__name__": "__main__"})
        assert len(server.peers) == 1


def test_the_guide_has_programs_and_names_every_example() -> None:
    """The pattern above finds them; examples are reachable from the guide."""
    assert len(PROGRAMS) == 3
    assert "clients/python/examples" in GUIDE
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "ask", "microphone", "speak_a_file", "with_tools",
    }  # fmt: skip


async def test_ask_prints_what_the_agent_says(capsys: pytest.CaptureFixture[str]) -> None:
    """And asks for a reply."""
    async with serving(_one_reply) as server:
        await _example("ask").main(server.url)
        assert any(isinstance(message, CreateReply) for message in server.peers[0].received)
    assert capsys.readouterr().out == "Good evening.\n"


async def test_speak_a_file_writes_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was understood and how long it took."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.converse(FakeAgent(iter(["Is it late?"])))

    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    write_wav(question, tone(200) + silence(100), 24_000)
    async with serving(script) as server:
        await _example("speak_a_file").main(question, answer, server.url)
    said = capsys.readouterr().out
    assert "Is it late?" in said
    assert "Well, indeed." in said
    assert len(read_wav(answer, 24_000)) == len(tone(120))


async def test_with_tools_answers_the_agents_question(capsys: pytest.CaptureFixture[str]) -> None:
    """The order is looked up, and a wrong number is told to the model."""
    results = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.receive(CreateReply)
        for number in ("7", "9"):
            called = ToolCall(call_id=number, name="order_status", arguments={"number": number})
            await peer.send(called)
            results.append(await peer.receive(GiveToolResult))
        await peer.send(
            AgentTranscript(reply_id="r", item_id="m", text="On its way.", interrupted=False)
        )
        await peer.end()

    async with serving(script) as server:
        await _example("with_tools").main(server.url)
    assert "agent: On its way." in capsys.readouterr().out
    assert [(one.result, one.is_error) for one in results] == [
        ("on its way", False),
        ("There is no order 9; ask for the number again.", True),
    ]


async def test_microphone_sends_and_plays(capsys: pytest.CaptureFixture[str]) -> None:
    """Until the session ends."""
    library = FakeSoundLibrary()
    room = bytearray(960)

    async def script(peer: Peer) -> None:
        await peer.accept()
        microphone = await library.in_use()
        microphone.callback(b"\x01\x02")
        heard = await peer.receive(SendAudio)
        assert codec.decode_base64(heard.audio) == b"\x01\x02"
        await peer.socket.send(codec.encode_reply_audio("r", b"\x05\x06" * 480))
        await peer.send(
            AgentTranscript(reply_id="r", item_id="m", text="Hello!", interrupted=False),
            SessionEnded(session_duration_seconds=1, audio_duration_seconds=None),
        )

    async with serving(script) as server:
        await _example("microphone").main(server.url, library)
    assert library.speaker is not None
    library.speaker.callback(room)
    assert room == b"\x05\x06" * 480
    assert capsys.readouterr().out == "Hello!\n"
