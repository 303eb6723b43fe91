"""One call, from ``session.ready`` to the goodbye."""

from __future__ import annotations

import asyncio
from itertools import cycle

from antiphon.wire import open_wire
from antiphon_loadtest.behaviour import Part, Role
from antiphon_loadtest.conversation import Conversation, World
from antiphon_loadtest.notes import Notes
from antiphon_loadtest.plan import RESULT, voices
from antiphon_loadtest.wheel import Wheel
from antiphon_protocol.voice_agent import GiveToolResult, ToolCall
from clients.fake_agent import FakeAgent
from clients.fake_server import Peer, Script, serving
from loadtest.loading import clip, plan
from loadtest.measuring import answering


async def _held(script: Script, role: Role) -> Notes:
    notes = Notes()
    async with serving(script) as server:
        made = plan(server.url, clips=[clip(ms=300)], patience_s=5.0)
        wheel = Wheel(20, notes)
        wheel.start()
        wire = await open_wire(server.url)
        async with asyncio.timeout(20):
            await Conversation(World(made, voices(made), wheel, notes), wire).hold(role)
        await wire.close()
        wheel.stop()
    return notes


async def test_speaking_over_the_agent_is_measured_until_it_is_cut() -> None:
    """The second part is said while the first one's answer is heard."""
    said = clip(ms=300)
    role = Role(offers_tool=False, parts=(Part(said, 0.0), Part(said, 0.0, over_s=0.1)))
    notes = await _held(answering(lambda: FakeAgent(cycle(["yes"]), sound_ms=1500)), role)
    assert [kind for kind, _, _, _ in notes.samples] == ["response", "barge-in", "response"]
    assert notes.errors == {}


async def test_a_tool_is_answered_and_a_silent_caller_says_goodbye() -> None:
    """The result reaches the server, with the call's own number."""
    given: list[GiveToolResult] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(ToolCall(call_id="c1", name="look_up", arguments={}))
        given.append(await peer.receive(GiveToolResult))
        await peer.end()

    notes = await _held(script, Role(offers_tool=True, parts=(), silent_s=0.1))
    assert given == [GiveToolResult("c1", RESULT)]
    assert notes.counts["tools"] == 1
