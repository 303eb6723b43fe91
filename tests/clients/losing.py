"""Calls that lose their socket: how it is lost, and what follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import antiphon
from antiphon import handshake, resume
from antiphon_protocol.voice_agent import ServerMessage, SpeechStarted
from clients.fake_server import Peer, Script


@pytest.fixture(name="impatient")
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once; a dead line is noticed after 0.1 s."""
    monkeypatch.setattr(resume, "FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(handshake, "KEEPALIVE_S", 0.1)


def accept_then(lose: Callable[[Peer], None], *before: ServerMessage) -> Script:
    """A script: starts the session, says these things, and loses the socket."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(*before)
        # A reset would overtake what was sent before it.
        await (await peer.socket.ping())
        lose(peer)

    return script


async def come_back(peer: Peer) -> None:
    """A script: lets the client resume, says one thing, ends when asked."""
    await peer.take_back()
    await peer.send(SpeechStarted())
    await peer.end()


def reset(peer: Peer) -> None:
    """A TCP reset."""
    peer.reset()


def finish(peer: Peer) -> None:
    """The end of the stream without a closing handshake."""
    peer.socket.transport.close()


async def kinds_until(call: antiphon.Call, last: type[antiphon.Event]) -> list[antiphon.Event]:
    """The events of a call up to the first of a kind."""
    events: list[antiphon.Event] = []
    async for event in call:
        events.append(event)
        if isinstance(event, last):
            break
    return events
