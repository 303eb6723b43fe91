"""Temporary tokens at the WebSocket: where they are taken, how often, for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.edge.node import Node
from antiphon_server.security.keys import Keys
from antiphon_server.security.tokens import Tokens
from server.edge.asgi_client import UPDATE, VirtualNode, connected, started
from virtual_time import in_virtual_time


@asynccontextmanager
async def _node(**variables: str) -> AsyncIterator[VirtualNode]:
    """A node with one key, whose tokens live on the loop's clock."""
    async with started(API_KEYS="key-1", **variables) as node:
        clock = asyncio.get_running_loop().time
        tokens = Tokens(one_time=node.settings.one_time_tokens, clock=clock)
        node.keys = Keys(node.settings.api_keys, tokens)
        yield node


async def _mint(node: Node, session_seconds: int = 10_800, window_seconds: int = 60) -> str:
    return node.keys.mint(await node.keys.owner("key-1"), session_seconds, window_seconds)


@pytest.mark.parametrize(
    ("query", "authorization"),
    [
        ("token={}", None),
        ("", "{}"),
        ("", "Bearer {}"),
        ("token={}", "Bearer {}"),
        ("token=wrong", "{}"),
    ],
)
@in_virtual_time
async def test_a_token_is_taken_wherever_a_key_is(query: str, authorization: str | None) -> None:
    """Header with and without ``Bearer``, or query (section 1.2)."""
    async with _node() as node:
        token = await _mint(node)
        header = None if authorization is None else authorization.format(token)
        async with connected(node, query.format(token), header) as client:
            client.tell(UPDATE)
            await client.until(wire.SessionReady)


@in_virtual_time
async def test_a_token_is_good_inside_its_window_only() -> None:
    """At its last moment it is refused like any wrong credential; a session opened before
    goes on.
    """
    async with _node() as node:
        token = await _mint(node, window_seconds=30)
        async with connected(node, f"token={token}") as early:
            early.tell(UPDATE)
            await early.until(wire.SessionReady)
            await asyncio.sleep(30)
            async with connected(node, f"token={token}") as late:
                await late.task
                assert late.refusal == ("unauthorized", 1008)
            assert early.closed is None


@in_virtual_time
async def test_a_token_opens_several_sessions_at_once() -> None:
    """Some clients connect twice (section 1.4)."""
    async with _node() as node:
        query = f"token={await _mint(node)}"
        async with connected(node, query) as one, connected(node, query) as two:
            for client in (one, two):
                client.tell(UPDATE)
                await client.until(wire.SessionReady)


@in_virtual_time
async def test_of_a_race_for_a_one_time_token_one_client_wins() -> None:
    """The others are refused, then and later."""
    async with _node(ONE_TIME_TOKENS="true") as node:
        query = f"token={await _mint(node)}"
        async with (
            connected(node, query) as a,
            connected(node, query) as b,
            connected(node, query) as c,
        ):
            for client in (a, b, c):
                client.tell(UPDATE)
            await asyncio.sleep(1)
            assert sorted(len(client.heard(wire.SessionReady)) for client in (a, b, c)) == [0, 0, 1]
            assert sorted(client.closed or 0 for client in (a, b, c)) == [0, 1008, 1008]


@in_virtual_time
async def test_a_one_time_token_outlives_a_refusal_for_want_of_room() -> None:
    """``at_capacity`` says to try again, so the token must still be good then."""
    async with _node(ONE_TIME_TOKENS="true", MAX_SESSIONS="1") as node:
        query = f"token={await _mint(node)}"
        async with connected(node, "token=key-1") as first:
            first.tell(UPDATE)
            await first.until(wire.SessionReady)
            async with connected(node, query) as second:
                second.tell(UPDATE)
                await second.task
                assert second.refusal == ("at_capacity", 1008)
        await asyncio.sleep(0.1)
        async with connected(node, query) as third:
            third.tell(UPDATE)
            await third.until(wire.SessionReady)


@pytest.mark.parametrize(("asked", "setting", "seconds"), [(60, "600", 60), (600, "60", 60)])
@in_virtual_time
async def test_a_session_is_cut_when_the_token_or_the_setting_says(
    asked: int, setting: str, seconds: int
) -> None:
    """At the shorter of the two, which ``expires_at`` names (section 9, row 3)."""
    async with (
        _node(MAX_SESSION_SECONDS=setting) as node,
        connected(node, f"token={await _mint(node, asked)}") as client,
    ):
        client.tell(UPDATE)
        ready = await client.until(wire.SessionReady)
        opened_at = asyncio.get_running_loop().time()
        assert ready.expires_at == pytest.approx(time.time() + seconds, abs=5)
        await client.task
        assert asyncio.get_running_loop().time() == pytest.approx(opened_at + seconds, abs=0.5)
        error, ended = client.messages[-2:]
        assert isinstance(error, wire.SessionError)
        assert isinstance(ended, wire.SessionEnded)
        assert (error.code, client.closed) == ("session_expired", 1008)


@in_virtual_time
async def test_without_keys_a_token_still_limits_its_session() -> None:
    """So that what is built in development mode is cut as it will be later."""
    async with started() as node:
        token = node.keys.mint(await node.keys.owner(None), 60, 60)
        async with connected(node, f"token={token}") as client:
            client.tell(UPDATE)
            await client.task
            assert client.closed == 1008
