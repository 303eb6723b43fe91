"""A run that uses every secret, says everything that is nobody's business, and does much wrong."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
from msgspec import Struct
from websockets.asyncio.client import connect

from conformance.model import MODEL, Scripts
from conformance.peer import Peer, Request, Response
from conformance.wire import Call
from endurance.canaries import Canaries, Canary
from endurance.processes import Process

REFUSES = "refuses"
"""In the path of a model that refuses, with the key in its refusal."""


class Answered(Struct):
    """What REST answered."""

    what: str
    status: int
    body: bytes


class Tour:
    """The places that are visited, and everything that came out of them."""

    def __init__(self, peer: Peer) -> None:
        self.canaries = Canaries()
        self.peer = peer
        self.scripts = Scripts()
        self.answers: list[Answered] = []
        self.events: list[dict[str, Any]] = []
        self.hooks: list[Request] = []
        """Webhooks that were received."""
        self.asked: list[Request] = []
        """What models were asked."""
        self.sealed: list[tuple[str, tuple[Canary, ...]]] = []
        """Agents, and what must be in their sealed column."""
        peer.model = self._model
        new = self.canaries.add_secret
        self.key, self.other_key = new("API key"), new("other API key")
        self.vault_key = new("vault key", base64.b64encode(secrets.token_bytes(32)).decode())
        self.model_key = new("model key of the server")
        self.spoken = self.canaries.add_said("what the user said")

    def settings(self) -> dict[str, str]:
        """Of the server that is visited."""
        return {
            "ANTIPHON_API_KEYS": f"{self.key},{self.other_key}",
            "ANTIPHON_SECRET_KEYS": str(self.vault_key),
            "ANTIPHON_LLM": "openai",
            "ANTIPHON_LLM_BASE_URL": f"{self.peer.base}/model/v1",
            "ANTIPHON_LLM_MODEL": MODEL,
            "ANTIPHON_LLM_API_KEY": str(self.model_key),
            "ANTIPHON_STT_UTTERANCES": f"it is {self.spoken}",
            "ANTIPHON_TTS_MS_PER_CHARACTER": "4",
            "ANTIPHON_TOOL_GROUNDING": "off",
            "ANTIPHON_OUTBOUND_ALLOW": self.peer.base.removeprefix("http://"),
            "ANTIPHON_LOG_LEVEL": "debug",
        }

    async def _model(self, request: Request) -> Response:
        self.asked.append(request)
        if REFUSES in request.path:
            told = f"Incorrect API key provided: {request.headers['authorization']}"
            error = {"message": told, "type": told, "code": told, "param": told}
            return Response(401, json.dumps({"error": error}).encode())
        return await self.scripts.answer(request)

    def model_at(self, path: str, key: Canary) -> dict[str, str]:
        """A model of an agent."""
        return {"base_url": f"{self.peer.base}/model{path}", "model": MODEL, "api_key": str(key)}

    @asynccontextmanager
    async def socket(
        self, server: Process, credential: object, *, in_query: bool = False
    ) -> AsyncIterator[Call]:
        """A socket; all that comes over it is kept."""
        query = f"?token={quote(str(credential), safe='')}" if in_query else ""
        headers = {} if in_query else {"Authorization": f"Bearer {credential}"}
        async with connect(
            f"{server.ws}{query}", additional_headers=headers, compression=None, proxy=None
        ) as opened:
            call = Call(opened)
            try:
                yield call
            finally:
                await call.end()
                self.events += call.events

    async def ask(
        self, rest: httpx.AsyncClient, method: str, path: str, **how: Any
    ) -> httpx.Response:
        """A request; its answer is kept."""
        answer = await rest.request(method, path, **how)
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        body = answer.content + headers.encode()
        self.answers.append(Answered(f"{method} {path}", answer.status_code, body))
        return answer
