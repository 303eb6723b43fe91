"""Opening a call: address, key, handshake, session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Unpack

from msgspec import UNSET
from websockets.asyncio.client import ClientConnection

from antiphon.address import socket_url, without_token
from antiphon.call import Call
from antiphon.handshake import dial, introduce
from antiphon.line import Line
from antiphon.resume import Resumption
from antiphon.settings import SessionSettings, session_update
from antiphon.tools import Tools
from antiphon_protocol import codec
from antiphon_protocol.voice_agent import UpdateSession

CONNECT_S = 10.0
"""How long a session may take to be ready; the hosted service takes one second."""


@asynccontextmanager
async def connect(
    url: str,
    key: str | None = None,
    *,
    tools: Tools | Iterable[Callable[..., Any]] = (),
    timeline: bool = False,
    resume: bool = True,
    timeout_s: float = CONNECT_S,
    **settings: Unpack[SessionSettings],
) -> AsyncIterator[Call]:
    """A call to the server at ``url``, open and ready inside the ``async with``.

    ``url`` may be http, https, ws or wss, with or without ``/v1/ws``; ``key`` is an API key or
    a temporary token; ``tools`` are functions the model may call; ``timeline`` asks for a
    ``TurnTimeline`` event after each reply; with ``resume`` a call whose socket is lost comes
    back by itself, for up to 25 s; the settings are those of ``SessionSettings``.

    Raises ``CannotConnect`` when there is no such server, ``TimedOut`` when the session is not
    ready after ``timeout_s`` seconds, and a ``SessionError`` such as ``Unauthorized`` or
    ``InvalidSettings`` when the server refuses. At the end the session is ended, tools are
    cancelled and the socket is closed, within a few seconds at worst.
    """
    registry = tools if isinstance(tools, Tools) else Tools(tools)
    declared = registry.declarations() if len(registry) else UNSET
    hello = codec.encode(UpdateSession(session_update(settings, declared)))
    address = socket_url(url, timeline=timeline)
    introduced = await introduce(await dial(address, key, timeout_s), hello, timeout_s)

    async def dial_again(resume_token: str, try_s: float) -> ClientConnection:
        return await dial(without_token(address), resume_token, try_s)

    line = Line(introduced, Resumption(dial_again) if resume else None)
    call = Call(line, introduced.ready, registry)
    try:
        yield call
    finally:
        await call.leave()
