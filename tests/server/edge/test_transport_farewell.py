"""A server that is stopped while clients are connected, on a real socket of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from antiphon_server.edge.transport import listen, server
from server.edge.asgi_client import UPDATE, started


async def test_clients_of_a_server_that_stops_are_told_so_in_words_of_their_wire() -> None:
    """``internal_error``, ``session.ended`` and 1011, on which clients resume (section 4.11), and
    not uvicorn's bare 1012, on which some do not; whoever comes now finds nobody.
    """
    async with started(PORT="0", RESUME_SECONDS="30") as node:
        with listen(node.settings) as listener:
            running = server(node.app, node.settings, node.calls.close)
            running.config.loop = "none"
            running.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
            serving = asyncio.create_task(running.serve([listener]))
            port = listener.getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}/v1/ws") as client:
                await client.send(UPDATE)
                told: list[dict[str, Any]] = [json.loads(await client.recv())]
                running.should_exit = True
                with suppress(ConnectionClosed):
                    while True:
                        told.append(json.loads(await client.recv()))
                assert [event["type"] for event in told[-2:]] == ["session.error", "session.ended"]
                assert told[-2]["code"] == "internal_error"
                assert client.close_code == 1011
                with pytest.raises(OSError, match=r"[Cc]onnect"):
                    await connect(f"ws://127.0.0.1:{port}/v1/ws")
            await serving
