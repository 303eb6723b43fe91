"""Calls of a node that traces them: whole, on the real edge, in virtual time."""

from __future__ import annotations

import asyncio

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_providers.scripted.tones import tone_of
from antiphon_server.observe.traces import Sampling, Traces
from server.edge.asgi_client import Client, VirtualNode, connected, started
from server.edge.calls_in_progress import FRAME_MS, calling
from server.observe.kept_spans import KeptSpans
from virtual_time import in_virtual_time

GREETING = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."


def traced(node: VirtualNode) -> KeptSpans:
    """From now on its calls are traced; their spans."""
    kept = KeptSpans()
    node.traces = Traces(kept, Sampling())
    return kept


async def speak(client: Client) -> None:
    """A second of sound, and silence."""
    sound = tone_of(1, 1000, PCM.rate) + bytes(PCM.size(1500))
    size = PCM.size(FRAME_MS)
    for at in range(0, len(sound), size):
        client.tell(codec.encode_input_audio(sound[at : at + size]))
        await asyncio.sleep(FRAME_MS / 1000)


@in_virtual_time
async def test_a_reply_that_is_talked_over_says_so_in_its_trace() -> None:
    """An event at its end; what answers the interruption is a turn of its own."""
    async with started() as node:
        kept = traced(node)
        async with connected(node) as client:
            client.update(greeting=GREETING)
            await client.until(wire.ReplyStarted)
            await asyncio.sleep(1)
            await speak(client)
            await client.until(wire.ReplyDone, 2)
            client.tell('{"type":"session.end"}')
            await client.until(wire.SessionEnded)
    greeting, answer = kept.named("turn")
    assert greeting.attributes["antiphon.reply.status"] == "interrupted"
    (event,) = greeting.events
    assert (event.name, event.at_ns) == ("interrupted", greeting.end_ns)
    assert answer.attributes["antiphon.reply.trigger"] == "user_speech"
    assert answer.attributes["antiphon.reply.status"] == "completed"
    assert answer.events == ()
    assert kept.one("session").attributes["antiphon.ending"] == "client_ended"


@in_virtual_time
async def test_what_happens_at_a_provider_is_in_the_trace_of_the_call_it_happened_to() -> None:
    """Of two calls at a time, one of which is there when the model fails."""
    fault = {"LLM": "scripted,scripted", "LLM_FAULT": "unavailable after 0 times 1"}
    async with started(**fault) as node:
        kept = traced(node)
        async with calling(node) as troubled, calling(node) as spared:
            await troubled.speaks()
            await spared.speaks()
    failed = [
        (span.attributes["gen_ai.conversation.id"], event.name)
        for span in kept.named("turn")
        for event in span.events
        if event.name == "provider.failed"
    ]
    (ready,) = troubled.client.heard(wire.SessionReady)
    assert failed == [(ready.session_id, "provider.failed")]
    assert len(kept.named("turn")) == 2
    assert {span.error for span in kept.named("turn")} == {None}


@in_virtual_time
async def test_a_session_on_two_sockets_is_one_trace() -> None:
    """The second one's own was never opened, and nobody hears of it."""
    async with started(RESUME_SECONDS="30") as node:
        kept = traced(node)
        async with connected(node) as first:
            first.update(greeting="Hello there.")
            ready = await first.until(wire.SessionReady)
            await first.until(wire.ReplyDone)
        async with connected(node) as second:
            second.resume(ready.session_id)
            await second.until(wire.SessionReady)
            await speak(second)
            await second.until(wire.ReplyDone)
            second.tell('{"type":"session.end"}')
            await second.until(wire.SessionEnded)
    assert len(kept.named("session")) == 1
    assert len({span.trace_id for span in kept.spans}) == 1
    assert len(kept.named("turn")) == 2
