"""The routes: the WebSocket and its former addresses, REST, health, metrics."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from msgspec.structs import replace
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from antiphon_protocol.errors import POLICY_VIOLATION, ProtocolError
from antiphon_protocol.session_config import SessionConfig
from antiphon_server.call.session import Session
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.call_settings import call_settings
from antiphon_server.edge.node import Node
from antiphon_server.observe import metrics
from antiphon_server.rest.api import Api, table
from antiphon_server.security.keys import Admission, credential

log = structlog.get_logger()

FORMER_PATHS = ("/v1/realtime", "/v1/voice")
"""Where earlier generations of the API were (voice agent protocol, section 0.3)."""


class AsgiSocket:
    """A WebSocket as sessions know it. Spoken to in raw ASGI messages, because Starlette's
    own helpers raise untyped errors once a socket is gone.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._closed = False

    async def accept(self) -> None:
        """Completes the upgrade."""
        await self._receive()
        await self._send({"type": "websocket.accept"})

    async def receive(self) -> str | bytes | None:
        """The next frame; None once the client is gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._closed = True
            return None
        frame: str | bytes | None = message.get("text")
        return message.get("bytes", b"") if frame is None else frame

    async def send(self, frame: str) -> None:
        """Sends a text frame. Raises ``ConnectionError`` once the client is gone."""
        if self._closed:
            raise ConnectionResetError
        try:
            await self._send({"type": "websocket.send", "text": frame})
        except (OSError, RuntimeError) as gone:
            self._closed = True
            raise ConnectionResetError from gone

    async def close(self, code: int) -> None:
        """Closes with a code; harmless when closed already."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(1.0):
                await self._send({"type": "websocket.close", "code": code})
        except (OSError, RuntimeError, TimeoutError):
            return


def create_app(node: Node) -> Starlette:
    """The application of a node, which must have been started."""
    calls = VoiceAgentRoute(node)
    api = Api(table(node.keys))
    former = FORMER_PATHS if node.settings.former_dialects else ()
    app = Starlette(
        routes=[
            Route("/", _root),
            Route("/healthz", _healthz),
            Route("/readyz", _readyz),
            Route("/metrics", _metrics),
            *(WebSocketRoute(path, calls) for path in ("/v1/ws", *former)),
            Route("/v1", api),
            Route("/v1/{path:path}", api),
        ]
    )
    app.state.node = node
    return app


class VoiceAgentRoute:
    """``/v1/ws`` and its former addresses: the upgrade, the credential, the call."""

    def __init__(self, node: Node) -> None:
        self._node = node
        settings = node.settings
        self._terms = voice_agent.Terms(settings.former_voices, settings.max_session_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one socket. The upgrade always succeeds; a refusal is said inside (1.3)."""
        socket = AsgiSocket(scope, receive, send)
        await socket.accept()
        view = WebSocket(scope, receive, send)
        presented = credential(view.headers, view.query_params)
        try:
            admission = self._node.keys.admit(presented)
            self._node.enter()
        except ProtocolError as error:
            await self._refuse(socket, error)
            return
        # Only now, and with no await since: a client refused for want of room may come back.
        self._node.keys.spend(presented)
        try:
            terms = self._terms_of(admission, scope["path"])
            await self._call(socket, terms, view.query_params.get("timeline") == "1")
        finally:
            self._node.leave()

    def _terms_of(self, admission: Admission, path: str) -> voice_agent.Terms:
        allowed = self._terms.session_seconds
        if admission.session_seconds is not None:
            allowed = min(allowed, admission.session_seconds)
        return replace(self._terms, session_seconds=allowed, repeats_arguments=path in FORMER_PATHS)

    async def _refuse(self, socket: AsgiSocket, error: ProtocolError) -> None:
        try:
            await socket.send(voice_agent.unauthorized(error))
        except ConnectionError:
            return
        await socket.close(error.close_code or POLICY_VIOLATION)

    async def _call(
        self, socket: AsgiSocket, terms: voice_agent.Terms, tells_timeline: bool
    ) -> None:
        settings = call_settings(SessionConfig(""), terms.session_seconds * 1000)
        session = Session(voice_agent.session_id(), socket, self._node.services, settings)
        dialect = voice_agent.VoiceAgent(session, terms, tells_timeline=tells_timeline)

        async def read() -> None:
            timeout = self._node.settings.first_message_seconds
            try:
                async with asyncio.timeout(timeout) as deadline:
                    while (frame := await socket.receive()) is not None:
                        dialect.receive(frame)
                        if session.is_open and deadline.when() is not None:
                            deadline.reschedule(None)
            except TimeoutError:
                await socket.close(POLICY_VIOLATION)

        try:
            await session.run(dialect, read)
        except Exception:
            log.exception("call broke", session=session.session_id)
            await socket.close(1011)


async def _root(_request: Request) -> Response:
    return PlainTextResponse(
        "Antiphon, a voice agent server.\n"
        "Speak to it over the WebSocket /v1/ws; metrics are at /metrics.\n"
    )


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _readyz(request: Request) -> Response:
    node: Any = request.app.state.node
    return JSONResponse({"ready": node.ready}, 200 if node.ready else 503)


async def _metrics(_request: Request) -> Response:
    # Rendering takes about 10 µs a line: off the loop, so that no call hears it.
    body = await asyncio.to_thread(generate_latest, metrics.REGISTRY)
    return Response(body, media_type=CONTENT_TYPE_LATEST)
