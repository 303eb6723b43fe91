"""Addresses and frames (§1.1, §1.6)."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from conformance.target import Target
from conformance.wire import opened, ready


async def test_the_websocket_is_at_v1_ws(target: Target) -> None:
    """§1.1: ``/v1/ws`` of the REST host, scheme swapped."""
    async with opened(target) as call:
        await ready(call)


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/ws/more", "/ws"])
async def test_another_path_is_404_at_the_upgrade(target: Target, path: str) -> None:
    """§1.3: a wrong path gives a normal HTTP 404, not a socket that closes."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"{target.ws}{path}",
            additional_headers={"Authorization": target.key},
            proxy=target.proxy,
        )
    assert refused.value.response.status_code == 404


@pytest.mark.recommended
@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/voice"])
async def test_the_former_addresses_serve_old_clients(target: Target, path: str) -> None:
    """§1.1, §9 row 27: old clients still connect to ``/v1/realtime`` and ``/v1/voice``."""
    async with opened(target, path=path) as call:
        await ready(call)


async def test_no_subprotocol_is_wanted_or_chosen(target: Target) -> None:
    """§1.1: plain RFC 6455, no sub-protocol."""
    async with opened(target) as call:
        assert call.socket.subprotocol is None


async def test_a_content_type_on_the_handshake_does_no_harm(target: Target) -> None:
    """§11.1: naive clients send it."""
    headers = {"Authorization": target.key, "Content-Type": "application/json"}
    async with connect(
        f"{target.ws}/v1/ws", additional_headers=headers, proxy=target.proxy
    ) as socket:
        await socket.send('{"type":"session.update","session":{}}')
        assert "session.updated" in str(await socket.recv())


async def test_pings_are_answered(target: Target) -> None:
    """§1.6: the heartbeat is WebSocket's own ping and pong."""
    async with opened(target) as call:
        pong = await call.socket.ping()
        await pong


async def test_frames_stay_far_below_what_clients_take(target: Target) -> None:
    """§1.6: Python clients refuse messages over 1 MiB; a config echo with a long prompt is one."""
    async with opened(target) as call:
        await ready(call, system_prompt="p" * 20_000)
        assert call.close_code is None
