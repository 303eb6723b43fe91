"""The operator changes providers of a running server while calls go on: by REST and by a file."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

import antiphon as sdk
from end_to_end.product import antiphon
from hostile.serving import STOP_SECONDS, Server, serving

WAIT_SECONDS = 20.0
PROVIDERS = "/v1/operator/providers"
SECRET = "a-secret-of-the-vendor"  # noqa: S105


def ask(server: Server, path: str, key: str, body: Any = None) -> tuple[int, Any]:
    """Status and body of a GET, or of a PUT with a body."""
    request = urllib.request.Request(
        f"http://{server.host}:{server.port}{path}",
        headers={"Authorization": f"Bearer {key}"},
        data=None if body is None else json.dumps(body).encode(),
        method="GET" if body is None else "PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


async def heard(call: sdk.Call) -> str:
    """What the agent says in the reply that is under way."""
    said = ""
    async with asyncio.timeout(WAIT_SECONDS):
        async for event in call:
            assert not isinstance(event, sdk.ReplyError | sdk.SessionErrorEvent)
            if isinstance(event, sdk.AgentTranscript):
                said = event.text
            if isinstance(event, sdk.ReplyDone):
                return said
    raise AssertionError("the call ended")


async def answered(call: sdk.Call) -> str:
    """What the agent says when it is asked to say something."""
    await call.create_reply()
    return await heard(call)


async def logged(server: Server, words: str, count: int = 1) -> None:
    """Returns when the log has these words so often."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if server.log.count(words) >= count:
                return
            await asyncio.sleep(0.02)


async def test_the_operator_changes_models_in_mid_call(tmp_path: Path) -> None:
    """The call goes on, with another model and then with another voice; a client's key may not,
    and a change that cannot be changes nothing.
    """
    data = str(tmp_path / "data")
    create = ("keys", "create", "--name", "x")
    operator = antiphon(*create, "--scope", "operator", ANTIPHON_DATA_DIR=data).stdout.strip()
    client = antiphon(*create, ANTIPHON_DATA_DIR=data).stdout.strip()
    settings = {"ANTIPHON_DATA_DIR": data, "ANTIPHON_LLM_REPLIES": "The first."}
    with serving(tmp_path / "log", **settings) as server:

        async def put(stage: str, key: str, name: str, **options: str) -> tuple[int, Any]:
            body = {"providers": [{"name": name, "options": options}]}
            return await asyncio.to_thread(ask, server, f"{PROVIDERS}/{stage}", key, body)

        async with sdk.connect(server.ws, client, greeting="") as call:
            assert await answered(call) == "The first."
            status, _ = await put("language_model", client, "scripted", replies="A thief's.")
            assert status == HTTPStatus.FORBIDDEN
            status, body = await put("language_model", operator, "nothing", api_key=SECRET)
            assert (status, body["code"]) == (422, "provider_refused")
            assert await answered(call) == "The first."
            status, body = await put("language_model", operator, "scripted", replies="The second.")
            assert (status, body["version"]) == (HTTPStatus.OK, 2)
            assert await answered(call) == "The second."
            status, _ = await put("text_to_speech", operator, "scripted", chunk_ms="50")
            assert status == HTTPStatus.OK
            assert await answered(call) == "The second."
        # A key for the operator's work opens no calls.
        with pytest.raises(sdk.Unauthorized):
            await sdk.connect(server.ws, operator).__aenter__()
        _, seen = await asyncio.to_thread(ask, server, PROVIDERS, operator)
        versions = {stage["stage"]: stage["version"] for stage in seen["stages"]}
        assert versions["language_model"] == versions["text_to_speech"] == 2
        assert server.stop() == 0
        assert SECRET not in server.log
        assert "Traceback" not in server.log


async def test_a_file_that_changed_is_taken_at_a_signal(tmp_path: Path) -> None:
    """The call goes on with what the file says now; one that cannot be is refused and said; the
    server stops as ever after that.
    """
    file = tmp_path / "antiphon.env"
    file.write_text(f"ANTIPHON_LLM_REPLIES=The first.\nVENDOR_KEY={SECRET}\n")
    with serving(tmp_path / "log", "--env-file", str(file)) as server:
        async with sdk.connect(server.ws, greeting="") as call:
            assert await answered(call) == "The first."
            file.write_text(f"ANTIPHON_LLM_REPLIES=The second.\nVENDOR_KEY={SECRET}\n")
            server.process.send_signal(signal.SIGHUP)
            await logged(server, "settings were read again")
            assert await answered(call) == "The second."
            file.write_text(f"ANTIPHON_LLM_REPLIES=The third.\n{SECRET}\n")
            server.process.send_signal(signal.SIGHUP)
            await logged(server, "settings were refused; nothing changes")
            assert "line 2 of" in server.log
            file.write_text("ANTIPHON_LLM=nothing\n")
            server.process.send_signal(signal.SIGHUP)
            await logged(server, "settings were refused; nothing changes", 2)
            assert await answered(call) == "The second."
            file.write_text("ANTIPHON_LLM_REPLIES=The fourth.\nANTIPHON_MAX_SESSIONS=7\n")
            for _ in range(3):
                server.process.send_signal(signal.SIGHUP)
            await logged(server, "ANTIPHON_MAX_SESSIONS")
            assert await answered(call) == "The fourth."
        server.process.send_signal(signal.SIGHUP)
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, STOP_SECONDS) == 0
        assert SECRET not in server.log
        assert "Traceback" not in server.log


def test_without_a_file_a_lost_terminal_ends_the_server(tmp_path: Path) -> None:
    """There would be nothing to read again, and nobody to see what it says."""
    with serving(tmp_path / "log") as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(STOP_SECONDS) == -signal.SIGHUP
