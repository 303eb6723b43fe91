"""A whole call through a running server, as the console sees it: while it goes on, and after."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from antiphon_protocol import codec
from antiphon_protocol.audio import PCM
from antiphon_providers.scripted.tones import tone_of
from hostile.serving import Server, serving

FRAME_MS = 50
WAIT_SECONDS = 30.0
WORDS = "please cancel my order"
SETTINGS = {
    "ANTIPHON_STT_UTTERANCES": WORDS,
    "ANTIPHON_LLM": "scripted,scripted",
    "ANTIPHON_LLM_FAULT": "unavailable at open",
    "ANTIPHON_LLM_2_FIRST_TOKEN_MS": "60",
    "ANTIPHON_LLM_2_REPLIES": "Your order is cancelled.",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without keys; with journals."""
    folder = tmp_path_factory.mktemp("console")
    with serving(
        folder / "log", **SETTINGS, ANTIPHON_JOURNAL_DIR=str(folder / "journals")
    ) as running:
        yield running
        assert running.stop() == 0


async def _speak(wire: ClientConnection) -> None:
    sound = tone_of(7, 900, PCM.rate) + bytes(PCM.size(1200))
    size = PCM.size(FRAME_MS)
    for at in range(0, len(sound), size):
        await wire.send(codec.encode_input_audio(sound[at : at + size]))
        await asyncio.sleep(FRAME_MS / 1000)


async def _call(server: Server, http: httpx.AsyncClient) -> tuple[str, dict[str, Any], Any]:
    """A greeting, a question, an answer: the session, its timeline, and what was live."""
    timeline, session_id, live, replies = {}, "", None, 0
    async with asyncio.timeout(WAIT_SECONDS), connect(f"{server.ws}?timeline=1") as wire:
        session = {"greeting": "Hello there.", "system_prompt": "Be kind."}
        await wire.send(json.dumps({"type": "session.update", "session": session}))
        async for frame in wire:
            message = json.loads(frame)
            match message["type"]:
                case "session.ready":
                    session_id = message["session_id"]
                case "turn.timeline":
                    timeline = message
                case "reply.done":
                    replies += 1
                    if replies == 1:
                        await _speak(wire)
                        continue
                    live = (await http.get("/v1/console/live")).json()
                    await wire.send('{"type":"session.end"}')
    return session_id, timeline, live


async def test_a_call_is_seen_while_it_goes_on_and_after(server: Server) -> None:
    """Live with its state; then searched, turn by turn with the stages that the client was told,
    the provider that stood in; its records, its journal, its percentiles; then
    deleted for good.
    """
    async with httpx.AsyncClient(base_url=server.http) as http:
        session_id, timeline, live = await _call(server, http)
        (seen,) = live["sessions"]
        assert (seen["id"], seen["state"], seen["turns"]) == (session_id, "listening", 2)
        assert (seen["last_user"], seen["last_agent"]) == (WORDS, "Your order is cancelled.")
        assert (await http.get("/v1/console/live")).json() == {"sessions": []}

        listed = (await http.get("/v1/console/sessions?search=CANCEL+order")).json()
        (entry,) = listed["sessions"]
        assert (entry["id"], entry["turns"], entry["first_words"]) == (session_id, 2, WORDS)
        assert entry["response_p50_ms"] == pytest.approx(timeline["stages"]["response"], abs=0.01)

        path = f"/v1/console/sessions/{session_id}"
        call = (await http.get(path)).json()
        greeting, turn = call["turns"]
        assert (greeting["trigger"], greeting["agent"]["heard"]) == ("greeting", "Hello there.")
        assert turn["stages"] == timeline["stages"]
        assert turn["providers"]["language_model"] == "scripted-2"
        assert turn["reasons"] == {"language_model": "provider_unavailable"}
        words = [word for word, _, _ in turn["agent"]["words"]]
        assert words == ["Your", "order", "is", "cancelled."]
        codes = [(error["source"], error["code"]) for error in turn["errors"]]
        assert codes == [("provider", "provider_unavailable"), ("provider", "switched")]
        assert entry["errors"] == 2

        events = (await http.get(f"{path}/events")).json()["events"]
        assert [event["seq"] for event in events] == list(range(len(events)))
        assert {event["kind"] for event in events} >= {"started", "agent_said", "troubled", "ended"}
        assert call["journal"] is True
        journal = await http.get(f"{path}/journal")
        assert all(json.loads(line)["event"] for line in journal.text.splitlines())
        latency = (await http.get("/v1/console/latency")).json()["stages"]
        assert latency["response"][-1]["count"] == 1
        assert latency["response"][-1]["p50"] == pytest.approx(
            timeline["stages"]["response"], rel=0.03
        )

        assert (await http.delete(f"/v1/sessions/{session_id}")).status_code == 204
        for gone in (path, f"{path}/events", f"{path}/journal"):
            assert (await http.get(gone)).status_code == 404
        assert (await http.get("/v1/console/sessions")).json()["total"] == 0
        assert (await http.get("/v1/console/latency")).json()["stages"] == {}


async def test_a_page_of_elsewhere_cannot_look(server: Server) -> None:
    """By a name that was made to lead here; whoever is at the machine may."""
    async with httpx.AsyncClient(base_url=server.http) as http:
        for path in ("/v1/console/me", "/v1/console/live", "/v1/operator/providers"):
            assert (await http.get(path)).status_code == 200
            elsewhere = await http.get(path, headers={"host": "rebound.example"})
            assert elsewhere.status_code in {403, 421}
        assert (await http.get("/v1/console/keys")).status_code == 403
