"""The routes: the WebSocket and its former addresses, REST, health, metrics."""

from __future__ import annotations

import asyncio

import structlog
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from antiphon_protocol.errors import POLICY_VIOLATION, ProtocolError
from antiphon_server.console.pages import Pages, words
from antiphon_server.console.sign_in import PATH as SIGN_IN
from antiphon_server.console.sign_in import Cookies, SignInRoutes, WithCookie
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.wording import Terms
from antiphon_server.edge.connection import Connection, Visitor
from antiphon_server.edge.node import Node
from antiphon_server.edge.socket import AsgiSocket
from antiphon_server.observe import metrics
from antiphon_server.observe.exposition import exposition
from antiphon_server.observe.traceparent import HEADER
from antiphon_server.rest.api import Api
from antiphon_server.rest.console_live import Here
from antiphon_server.rest.resources import Resources, operations
from antiphon_server.rest.sessions import SessionPlaces
from antiphon_server.security.admission import credential, origin
from antiphon_server.security.host_names import HostNames

log = structlog.get_logger()

FORMER_PATHS = ("/v1/realtime", "/v1/voice")
"""Where earlier generations of the API were (voice agent protocol, section 0.3)."""


def create_app(node: Node) -> Starlette:
    """The application of a node, which must have been started."""
    calls, settings = VoiceAgentRoute(node), node.settings
    cookies = Cookies(node.backstage.vault, settings.public_url)
    api = WithCookie(Api(operations(_resources(node))), cookies)
    former = FORMER_PATHS if settings.former_dialects else ()
    pages = Pages() if settings.pages else None
    app = Starlette(
        routes=[
            *(_without_pages() if pages is None else _with_pages(node, pages, cookies)),
            Route("/healthz", _healthz),
            Route("/readyz", _readyz),
            Route("/metrics", _metrics),
            *(WebSocketRoute(path, calls) for path in ("/v1/ws", *former)),
            WebSocketRoute("/{path:path}", _nothing_here),
            Route("/v1", api),
            Route("/v1/{path:path}", api),
        ],
        middleware=[Middleware(HostNames, node.keys, settings.public_url)],
        exception_handlers={} if pages is None else {404: pages.missing},
    )
    app.state.node = node
    return app


def _with_pages(node: Node, pages: Pages, cookies: Cookies) -> list[Route]:
    sign_in = Api(SignInRoutes(node.keys, cookies).operations())
    return [Route(SIGN_IN, sign_in, methods=["POST", "DELETE"]), *pages.routes()]


def _without_pages() -> list[Route]:
    return [Route("/", _root)]


def _resources(node: Node) -> Resources:
    """What the REST API works with."""
    stage, settings = node.backstage, node.settings
    return Resources(
        keys=node.keys,
        vault=stage.vault,
        guard=stage.guard,
        agents=stage.agents,
        claims=stage.claims,
        places=SessionPlaces(stage.keeping, stage.links, settings.public_url, stage.ledger.settled),
        stages=node.pipeline,
        here=Here(
            providers=lambda: node.services.names,
            calls=node.calls.of_account,
            recording=settings.recording,
            journals=bool(settings.journal_dir),
        ),
        former_voices=settings.former_voices,
    )


class VoiceAgentRoute:
    """``/v1/ws`` and its former addresses: the upgrade and the credential."""

    def __init__(self, node: Node) -> None:
        self._node = node
        settings = node.settings
        self._terms = Terms(
            settings.former_voices,
            settings.max_session_seconds,
            settings.resume_seconds,
            settings.tool_grounding,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one socket. The upgrade always succeeds; a refusal is said inside (1.3)."""
        socket = AsgiSocket(scope, receive, send)
        await socket.accept()
        view = WebSocket(scope, receive, send)
        try:
            visitor = await self._admit(view)
            with self._node.socket():
                terms = self._terms_of(visitor, view)
                await Connection(self._node, socket, visitor, terms).serve()
        except ProtocolError as error:
            await self._refuse(socket, error)

    async def _admit(self, view: WebSocket) -> Visitor:
        presented = credential(view.headers, view.query_params)
        if self._node.calls.proven(presented) is not None:
            return Visitor(presented, None)
        traceparent = view.headers.get(HEADER)
        admission = await self._node.keys.admit(presented, origin(view.headers))
        return Visitor(presented, admission, traceparent)

    def _terms_of(self, visitor: Visitor, view: WebSocket) -> Terms:
        allowed = self._terms.session_seconds
        admission = visitor.admission
        if admission is not None and admission.session_seconds is not None:
            allowed = min(allowed, admission.session_seconds)
        return replace(
            self._terms,
            session_seconds=allowed,
            repeats_arguments=view.scope["path"] in FORMER_PATHS,
            tells_timeline=view.query_params.get("timeline") == "1",
        )

    async def _refuse(self, socket: AsgiSocket, error: ProtocolError) -> None:
        try:
            await socket.send(voice_agent.unauthorized(error))
        except ConnectionError:
            return
        await socket.close(error.close_code or POLICY_VIOLATION)


async def _nothing_here(socket: WebSocket) -> None:
    """A WebSocket elsewhere is answered like any other address that is not there."""
    await socket.send_denial_response(PlainTextResponse("", 404))


async def _root(_request: Request) -> Response:
    return words()


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _readyz(request: Request) -> Response:
    node: Node = request.app.state.node
    reasons = node.troubles
    if reasons:
        return JSONResponse({"ready": False, "reasons": reasons}, 503)
    return JSONResponse({"ready": True})


async def _metrics(request: Request) -> Response:
    render, content_type = exposition(request.headers.get("accept", ""))
    # Rendering takes about 10 µs a line: off the loop, so that no call hears it.
    body = await asyncio.to_thread(render, metrics.REGISTRY)
    return Response(body, media_type=content_type)
