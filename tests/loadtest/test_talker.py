"""One caller: call after call."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from itertools import cycle

from antiphon_loadtest.behaviour import Behaviour
from antiphon_loadtest.conversation import World
from antiphon_loadtest.notes import Notes
from antiphon_loadtest.plan import voices
from antiphon_loadtest.talker import talk
from antiphon_loadtest.wheel import Wheel
from antiphon_protocol.voice_agent import SessionError
from clients.fake_agent import FakeAgent
from clients.fake_server import Peer, Script, serving
from loadtest.loading import plan
from loadtest.measuring import answering


async def _noted(script: Script, enough: str, behaviour: Behaviour | None = None) -> Notes:
    """What a caller notes until one of its counts or errors is there."""
    notes = Notes()
    async with serving(script) as server:
        made = plan(server.url) if behaviour is None else plan(server.url, behaviour=behaviour)
        wheel = Wheel(20, notes)
        wheel.start()
        talking = asyncio.create_task(talk(World(made, voices(made), wheel, notes), 0, 0.0))
        async with asyncio.timeout(20):
            # What is noted wakes nobody: a load test has no time for that.
            while not notes.counts[enough] and not notes.errors[enough]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        talking.cancel()
        with suppress(asyncio.CancelledError):
            await talking
        wheel.stop()
    assert (notes.in_call, notes.connecting) == (0, 0)
    return notes


async def test_a_caller_speaks_and_hears_the_answer() -> None:
    """One response is measured, without an error."""
    notes = await _noted(answering(lambda: FakeAgent(cycle(["yes"]))), "turns")
    kinds = Counter(kind for kind, _, _, _ in notes.samples)
    assert kinds["connect"] >= 1
    assert kinds["response"] == 1
    assert notes.errors == {}


async def test_a_server_that_refuses_is_counted_by_its_code() -> None:
    """And is called again."""

    async def script(peer: Peer) -> None:
        await peer.send(SessionError(code="at_capacity", message="Full."))
        await peer.socket.wait_closed()

    notes = await _noted(script, "connecting: at_capacity")
    assert notes.counts["calls"] >= 1


async def test_a_server_that_never_answers_is_left_in_time() -> None:
    """Silent after the handshake, and silent in a call."""

    async def dumb(peer: Peer) -> None:
        await peer.socket.wait_closed()

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        async for _ in peer.socket:
            pass

    await _noted(dumb, "connecting: no answer in time")
    await _noted(deaf, "no answer")


async def test_a_server_that_hangs_up_in_a_call_is_counted_by_its_close_code() -> None:
    """1011 is the server's own fault."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.close(1011)

    await _noted(script, "in a call: closed with 1011")


async def test_garbage_is_counted_and_passed_over() -> None:
    """Text that is no message."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.send("[[[")
        await peer.socket.wait_closed()

    await _noted(script, "in a call: not a message")


async def test_a_line_that_cannot_be_resumed_is_an_error_of_its_own() -> None:
    """The server knows nothing of the session any more."""
    first = iter([True])
    whole = answering(lambda: FakeAgent(cycle(["yes"]), sound_ms=2000))

    async def script(peer: Peer) -> None:
        if next(first, False):
            await whole(peer)
        else:
            await peer.send(SessionError(code="session_not_found", message="Gone."))
            await peer.socket.wait_closed()

    dropping = Behaviour(0, 1, 0, turns=(1, 1), think_s=(0, 0))
    await _noted(script, "resuming: session_not_found", dropping)
