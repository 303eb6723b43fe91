"""An application behind uvicorn with our settings, on a real socket of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from antiphon_server.edge.transport import listen, server
from antiphon_server.settings import read


@asynccontextmanager
async def served(app: Any, **variables: str) -> AsyncIterator[str]:
    """The WebSocket's address, while the application runs with these settings."""
    settings = read({"ANTIPHON_PORT": "0", **{f"ANTIPHON_{k}": t for k, t in variables.items()}})
    with listen(settings) as listener:
        running = server(app, settings)
        running.config.loop = "none"
        running.config.load()
        running.lifespan = running.config.lifespan_class(running.config)
        await running.startup([listener])
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            await running.shutdown([listener])
