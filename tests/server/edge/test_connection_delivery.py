"""What a client that comes back is told again: once if it says what it has, else to be sure."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.dialects.wording import COMMITTED
from server.edge.asgi_client import Client, connected, started
from virtual_time import in_virtual_time

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen."
Numbered = list[tuple[int, str]]


def committed(*clients: Client) -> Numbered:
    """Number and type of each event that outlives a socket, in the order in which they came."""
    told = [message for client in clients for message in client.messages]
    numbered = [message for message in told if isinstance(message, COMMITTED)]
    return [(_number(message), str(message.__struct_config__.tag)) for message in numbered]


def _number(message: wire.FromServer) -> int:
    number = getattr(message, "seq", None)
    assert isinstance(number, int)
    return number


async def _begun(client: Client) -> wire.SessionReady:
    """A greeting sounds."""
    client.update(greeting=LONG)
    ready = await client.until(wire.SessionReady)
    await client.until(wire.ReplyAudio)
    return ready


@in_virtual_time
async def test_with_last_seq_each_event_comes_once() -> None:
    """Whatever the server thinks has arrived: the client knows."""
    for marks in (False, True):
        async with started(RESUME_SECONDS="30") as node:
            async with connected(node, marks=marks) as first:
                ready = await _begun(first)
                await asyncio.sleep(2)
            await asyncio.sleep(5)
            async with connected(node) as second:
                second.resume(ready.session_id, last_seq=1)
                await second.until(wire.ReplyDone)
                await asyncio.sleep(1)
                assert committed(first, second) == [
                    (1, "reply.started"),
                    (2, "transcript.agent"),
                    (3, "reply.done"),
                ]


@in_virtual_time
async def test_without_last_seq_each_event_comes_at_least_once() -> None:
    """What the client's side is not known to have taken is told again, in order; what it has
    taken is not.
    """
    async with started(RESUME_SECONDS="30") as node:
        for confirms in (False, True):
            async with connected(node, marks=True) as first:
                ready = await _begun(first)
                await asyncio.sleep(2)
                if confirms:
                    first.confirm()
            await asyncio.sleep(5)
            async with connected(node) as second:
                second.resume(ready.session_id)
                await second.until(wire.ReplyDone)
                rest = [(2, "transcript.agent"), (3, "reply.done")]
                again = [] if confirms else [(1, "reply.started")]
                assert committed(second) == [*again, *rest]


@in_virtual_time
async def test_a_client_that_has_everything_is_told_nothing_again() -> None:
    """Also after several losses; what it has not got is told however often it is lost."""
    async with started(RESUME_SECONDS="30") as node:
        async with connected(node, marks=True) as first:
            ready = await _begun(first)
            await asyncio.sleep(20)
        heard = committed(first)
        for _ in range(3):
            async with connected(node, marks=True) as again:
                again.resume(ready.session_id)
                await again.until(wire.ReplyDone)
                assert committed(again) == heard
        async with connected(node, marks=True) as told:
            told.resume(ready.session_id, last_seq=heard[-1][0])
            await told.until(wire.SessionReady)
            await asyncio.sleep(1)
            assert committed(told) == []


@pytest.mark.parametrize("last_seq", [10_000, 0])
@in_virtual_time
async def test_a_number_that_cannot_be_is_taken_at_its_word(last_seq: int) -> None:
    """One too high misses what it says it has; one too low hears what is still there."""
    async with started(RESUME_SECONDS="30") as node:
        async with connected(node, marks=True) as first:
            ready = await _begun(first)
            await asyncio.sleep(20)
        async with connected(node) as second:
            second.resume(ready.session_id, last_seq=last_seq)
            await second.until(wire.SessionReady)
            await asyncio.sleep(1)
            assert committed(second) == ([] if last_seq else committed(first))
            second.tell('{"type":"reply.create"}')
            await second.until(wire.ReplyStarted, 1 if last_seq else 2)


@in_virtual_time
async def test_numbers_count_up_over_all_sockets() -> None:
    """Without a gap, from 1."""
    async with started(RESUME_SECONDS="30") as node:
        clients: list[Client] = []
        async with connected(node) as first:
            ready = await _begun(first)
            clients.append(first)
        for _ in range(4):
            async with connected(node) as client:
                clients.append(client)
                client.resume(ready.session_id)
                await client.until(wire.SessionReady)
                client.tell('{"type":"reply.create"}')
                await client.until(wire.ReplyAudio)
                await asyncio.sleep(2)
        numbers = [number for number, _ in committed(*clients)]
        assert numbers == list(range(1, len(numbers) + 1))
        starts = [kind for _, kind in committed(*clients) if kind == "reply.started"]
        assert len(starts) == 5


async def _tool_call(client: Client) -> wire.ToolCall:
    client.update(tools=[{"type": "function", "name": "look_up", "parameters": {}}])
    await client.until(wire.SessionReady)
    client.tell('{"type":"conversation.message","role":"user","content":"Look it up."}')
    client.tell('{"type":"reply.create"}')
    return await client.until(wire.ToolCall)


@in_virtual_time
async def test_a_call_in_flight_is_told_once_and_answered_over_the_new_socket() -> None:
    """With the same id; the result that comes late is spoken of."""
    async with started(RESUME_SECONDS="30", LLM_TOOL="look_up") as node:
        async with connected(node, marks=True) as first:
            call = await _tool_call(first)
            (ready,) = first.heard(wire.SessionReady)
        await asyncio.sleep(10)
        async with connected(node) as second:
            second.resume(ready.session_id, last_seq=1)
            again = await second.until(wire.ToolCall)
            assert (again.call_id, again.seq) == (call.call_id, call.seq)
            second.tell(f'{{"type":"tool.result","call_id":"{call.call_id}","result":"seven"}}')
            said = await second.until(wire.AgentTranscript)
            assert said.text == "The tool says: seven"
            assert len(second.heard(wire.ToolCall)) == 1


@in_virtual_time
async def test_what_is_of_the_moment_is_not_told_again() -> None:
    """Neither audio nor deltas: they were for then."""
    async with started(RESUME_SECONDS="30") as node:
        async with connected(node, marks=True) as first:
            ready = await _begun(first)
            await asyncio.sleep(2)
        async with connected(node) as second:
            second.resume(ready.session_id)
            await second.until(wire.ReplyDone)
            await asyncio.sleep(10)
            assert second.heard(wire.ReplyAudio) == []
            assert second.heard(wire.AgentTranscriptDelta) == []
            assert second.heard(wire.SessionUpdated) == []
