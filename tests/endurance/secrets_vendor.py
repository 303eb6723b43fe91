"""A stop of the tour of secrets: a vendor that agents bring keys for, which quotes them."""

from __future__ import annotations

from typing import Any

import httpx
from websockets.http11 import Request

from conformance.wire import ready
from endurance.processes import Process
from endurance.secrets_tour import Tour
from fakes.voice_contexts import FakeVoices, Refusal, Session


class Indiscreet(FakeVoices):
    """Speaks as Cartesia does, never says what it should, and repeats the key in every error."""

    def __init__(self, tour: Tour) -> None:
        super().__init__(self._quote, self._fail)
        self.good = tour.canaries.add_secret("key of a voice that fails")
        self.bad = tour.canaries.add_secret("key that a voice refuses")
        self.node = tour.canaries.add_secret("key of the server's voice")
        self.seen: list[str] = []

    def settings(self) -> dict[str, str]:
        """Of a server whose operator has it here, behind a voice of its own."""
        return {
            "ANTIPHON_TTS": "scripted,cartesia",
            "ANTIPHON_TTS_2_BASE_URL": self.url,
            "ANTIPHON_TTS_2_API_KEY": str(self.node),
        }

    def _quote(self, request: Request) -> Refusal | None:
        presented = request.headers["Authorization"]
        self.seen.append(presented)
        if self.bad.text not in presented:
            return None
        told = f"Invalid API key: {presented}"
        return 401, {"title": told, "message": told, "error_code": told}

    async def _fail(self, session: Session) -> None:
        told = f"Key is out of credit: {session.headers['Authorization']}"
        while (frame := await session.receive()) is not None:
            error = {"type": "error", "done": True, "context_id": frame["context_id"]}
            words = {"title": told, "message": told, "error_code": told, "status_code": 402}
            await session.send({**error, **words})


async def run_vendors(
    tour: Tour, vendor: Indiscreet, server: Process, rest: httpx.AsyncClient
) -> None:
    """An agent whose voice fails in the call, and one whose voice refuses the call."""
    chosen: dict[str, Any] = {"name": "cartesia", "options": {"voice": "v"}}
    for key, kind in ((vendor.good, "reply.error"), (vendor.bad, "session.error")):
        agent = {
            "name": "an agent with a voice",
            "voice": {"voice_id": "alba"},
            "system_prompt": "Be kind.",
            "greeting": "Hello.",
            "providers": {"tts": [{**chosen, "api_key": key.text}]},
        }
        made = await tour.ask(rest, "POST", "/v1/agents", json=agent)
        agent_id = made.raise_for_status().json()["id"]
        await tour.ask(rest, "GET", f"/v1/agents/{agent_id}")
        async with tour.socket(server, tour.key) as call:
            if kind == "session.error":
                await call.send("session.update", session={"agent_id": agent_id})
            else:
                await ready(call, agent_id=agent_id)
            await call.next(kind)
        tour.canaries.use(key, str(vendor.seen))
    tour.canaries.use(vendor.node, str(vendor.seen))
