"""Running a measurement of the load test against a scripted server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antiphon.wav import write_wav
from antiphon_loadtest.__main__ import main
from clients.fake_agent import FakeAgent, silence, tone
from clients.fake_server import Peer, Script, serving


def clips_in(folder: Path, *texts: str) -> Path:
    """A folder of clips: 200, 300, ... ms of tone, with these texts."""
    clips = folder / "clips"
    clips.mkdir()
    entries = []
    for number, text in enumerate(texts):
        write_wav(clips / f"{number}.wav", tone(200 + 100 * number) + silence(40), 24_000)
        entries.append({"file": f"{number}.wav", "text": text or None})
    (clips / "manifest.json").write_text(json.dumps(entries))
    return clips


def answering(make: Callable[[], FakeAgent], *, greets: bool = False) -> Script:
    """A server on which each call has an agent of its own."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        agent = make()
        if greets:
            await peer.send(*agent.greet())
        await peer.converse(agent)

    return script


async def measure(script: Script, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code of the command, and its report."""
    path = folder / "report.json"
    async with serving(script) as server:
        common = ["--url", server.url, "--json", str(path)]
        code = await asyncio.to_thread(main, [*arguments, *common])
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return code, report
