"""Clients of agents' own models: shared by calls, closed when nobody asks or the node stops."""

import asyncio
from typing import Any

import pytest

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import Said
from antiphon_server.call import models
from antiphon_server.call.models import ModelTarget
from antiphon_server.observe.notes import context_of
from openai_peer import HELLO, HELLO_SAID, asking, text
from raw_http import STREAM_HEAD, Exchange
from server.call.own_models import WORKING, Meeting, meeting
from server.call.traced_stage import Stage


async def test_a_client_that_nobody_asks_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection too; the next reply makes another."""
    monkeypatch.setattr(models, "IDLE_SECONDS", 0.01)
    left = asyncio.Event()

    async def then_waits(exchange: Exchange) -> None:
        await exchange.stream(HELLO)
        await exchange.until_left()
        left.set()

    async with meeting(then_waits) as met:
        assert await met.reply() == HELLO_SAID
        await asyncio.wait_for(left.wait(), 5)
        met.servers[0].answer = WORKING
        assert await met.reply() == HELLO_SAID
        assert met.servers[0].connections == 2


async def test_a_client_in_use_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long its reply takes, and although another reply ended."""
    monkeypatch.setattr(models, "IDLE_SECONDS", 0.0)
    go_on = asyncio.Event()

    async def long(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(text("Hel"))
        await go_on.wait()
        await exchange.chunks(text("lo", "stop"))
        await exchange.send(b"0\r\n\r\n")

    async with meeting(long) as met:
        pieces = aiter(met.model.reply(asking("a")))
        said = [await anext(pieces)]
        met.servers[0].answer = WORKING
        assert await met.reply() == HELLO_SAID
        await asyncio.sleep(0)
        go_on.set()
        assert said + [piece async for piece in pieces] == HELLO_SAID


async def test_calls_share_the_client_of_a_model_but_not_of_a_key() -> None:
    """One pool for each address, model and key: nobody speaks with another's key."""
    async with meeting(WORKING) as met:
        url = met.targets[0].base_url
        for key in ("one", "one", "two"):
            model = met.of((ModelTarget(url, "m", key),))
            assert [piece async for piece in model.reply(asking("a"))] == HELLO_SAID
        assert met.servers[0].connections == 2
        keys = [request.headers["authorization"] for request in met.servers[0].requests]
        assert keys == ["Bearer one", "Bearer one", "Bearer two"]


@pytest.mark.parametrize("spreads", [True, False])
async def test_a_model_is_told_of_the_trace_only_if_it_may_be(spreads: bool) -> None:
    """Each session's of its own, over connections that they share; nothing by default."""
    stages = [Stage(spreads=spreads) for _ in range(2)]
    loop = asyncio.get_running_loop()
    async with meeting(WORKING) as met:
        for stage in stages:
            await loop.create_task(met.reply(), context=context_of(stage.trace))
        told = [request.headers.get("traceparent") for request in met.servers[0].requests]
    expected = [stage.trace.traceparent(None) for stage in stages]
    assert told == expected
    assert (None in told) != spreads
    assert len(set(told)) == (2 if spreads else 1)


async def test_after_the_end_nothing_is_asked() -> None:
    """A node that stops makes no new connections."""
    async with meeting(WORKING) as met:
        assert await met.reply() == HELLO_SAID
        await met.own.close()
        with pytest.raises(Unavailable, match="stopping"):
            await met.reply()
        assert met.asked == [1]


async def test_closing_ends_a_reply_that_waits() -> None:
    """As with any provider."""
    first = asyncio.Event()

    async def pauses(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(text("Hel"))
        await exchange.until_left()

    async def consume(met: Meeting) -> list[Any]:
        said = []
        async for piece in met.model.reply(asking("a")):
            said.append(piece)
            first.set()
        return said

    async with meeting(pauses) as met:
        consumer = asyncio.create_task(consume(met))
        await first.wait()
        await met.own.close()
        assert await asyncio.wait_for(consumer, 5) == [Said("Hel")]


async def test_lists_that_nobody_asks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused is closed first: who changes an agent again and again makes new ones."""
    monkeypatch.setattr(models, "MOST_IDLE", 2)
    async with meeting(WORKING) as met:
        server, (target,) = met.servers[0], met.targets
        for account in ("a", "b", "a", "c"):
            assert await met.words(met.of((target,), account)) == HELLO_SAID
        assert server.connections == 3
        # Only b's was closed.
        for account in ("a", "c"):
            assert await met.words(met.of((target,), account)) == HELLO_SAID
        assert server.connections == 3
        assert await met.words(met.of((target,), "b")) == HELLO_SAID
        assert server.connections == 4
