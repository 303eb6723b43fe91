"""Servers in processes of their own, on a data folder that outlives them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from end_to_end.product import ANTIPHON
from hostile.serving import SCRIPTED, STOP_SECONDS, Server, environment

KEY = "the-key-of-the-endurance-tests-0"
ROOMY = {
    "ANTIPHON_API_KEYS": KEY,
    "ANTIPHON_MAX_SESSIONS": "5000",
    "ANTIPHON_MAX_SESSIONS_PER_KEY": "5000",
    "ANTIPHON_SESSIONS_PER_MINUTE_PER_KEY": "100000",
}
"""No limit is met by accident."""

CONVERSING = {
    **SCRIPTED,
    **ROOMY,
    "ANTIPHON_STT_MODE": "echo",
    "ANTIPHON_LLM_TOOL": "look_up",
    "ANTIPHON_TTS_MS_PER_CHARACTER": "20",
}
"""Hears whose turn it is by its sound, calls the tool where there is one, and speaks fast."""


class Process(Server):
    """One run of ``antiphon serve``. ``ready_s`` is from its start to a ``readyz`` of 200."""

    def __init__(self, process: subprocess.Popen[str], log: Path, began: float) -> None:
        super().__init__(process, log)
        answer = json.loads(self.get("/readyz"))
        assert answer == {"ready": True}
        self.ready_s = time.monotonic() - began

    @property
    def http(self) -> str:
        """Where REST is."""
        return f"http://{self.host}:{self.port}"

    def rest(self) -> httpx.AsyncClient:
        """A client of the one account."""
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.AsyncClient(base_url=self.http, headers=headers, timeout=60, trust_env=False)

    def kill(self) -> None:
        """As a power cut would end it, as far as the process is concerned."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def complaints(self) -> list[str]:
        """The lines of its log that tell of a fault of its own."""
        return [
            line
            for line in self.log.splitlines()
            if "Traceback" in line or '"level":"error"' in line.replace(" ", "")
        ]


def launch(folder: Path, *arguments: str, **variables: str) -> Process:
    """A server on a folder, once it is ready."""
    log = folder / f"log-{time.monotonic_ns()}"
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [ANTIPHON, "serve", "--port", "0", *arguments],
            env=environment(str(folder / "data"), **variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        return Process(process, log, began)
    except BaseException:
        process.kill()
        release(process)
        raise


def release(process: subprocess.Popen[str]) -> None:
    """Waits for a process that was told to end, and lets go of its pipe."""
    process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


@asynccontextmanager
async def launched(folder: Path, *arguments: str, **variables: str) -> AsyncIterator[Process]:
    """The same for as long as the block runs; whatever is left of it then is killed."""
    server = await asyncio.to_thread(launch, folder, *arguments, **variables)
    try:
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(release, server.process)
