"""aimock, a server of AI interfaces that nobody here wrote, with answers a test chooses.

Its package is pinned in tests/node; see https://aimock.copilotkit.dev for the form of fixtures.
"""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from node_tools import tool

KEY = "sk-aimock"
_MARK = "listening on "
_START_S = 30


def fixture(user_says: str, response: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An answer for a user's message that contains these words."""
    return {"match": {"userMessage": user_says}, "response": response, **more}


@asynccontextmanager
async def aimock(
    folder: Path, *fixtures: dict[str, Any], latency_ms: int = 0
) -> AsyncIterator[str]:
    """The URL of a server with these fixtures, which wants ``KEY``; may write to ``folder``."""
    answers = folder / "fixtures.json"
    answers.write_text(json.dumps({"fixtures": fixtures}))
    command = [*tool("llmock", package="@copilotkit/aimock")]
    options = ["--port", "0", "--fixtures", str(answers), "--latency", str(latency_ms)]
    process = await asyncio.create_subprocess_exec(
        *command,
        *options,
        env={**os.environ, "AIMOCK_API_KEYS": KEY},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            heard = ""
            while _MARK not in heard:
                line = await process.stdout.readline()
                if not line:
                    raise RuntimeError(f"aimock did not start: {heard}")
                heard += line.decode()
        # Read on, so that its output never fills the pipe.
        rest = asyncio.create_task(process.stdout.read())
        try:
            yield heard.rpartition(_MARK)[2].strip()
        finally:
            process.kill()
            await rest
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
