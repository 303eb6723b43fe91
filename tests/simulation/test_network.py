"""What the network of the simulation does to frames: each fault as it is on a real one."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from simulation.network import KEEPALIVE_S, Link
from virtual_time import in_virtual_time

FRAMES = [codec.encode(wire.UserTranscriptDelta(item_id="i", text=str(n))) for n in range(3)]
CONNECT = {"type": "websocket.connect"}


class Ends:
    """Both ends of a link, and what happened there."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self.link = Link(1, latency_s, self)
        self.were_sent: list[str] = []
        self.came: list[str] = []
        self.hang_up: int | None = None
        self.close: int | None = None

    def sent(self, _link: Link, _message: wire.FromServer, text: str) -> None:
        """By the application."""
        self.were_sent.append(text)

    def arrived(self, _link: Link, _message: wire.FromServer, text: str) -> None:
        """At the client."""
        self.came.append(text)

    def hung_up(self, _link: Link, code: int) -> None:
        """By the application."""
        self.hang_up = code

    def closed(self, _link: Link, code: int) -> None:
        """As the client learnt."""
        self.close = code

    async def send(self, *frames: str) -> None:
        """The application speaks."""
        for frame in frames:
            await self.link.send({"type": "websocket.send", "text": frame})


@pytest.mark.parametrize("latency_s", [0.0, 0.2])
@in_virtual_time
async def test_frames_arrive_in_order_after_the_latency(latency_s: float) -> None:
    """In both directions."""
    ends = Ends(latency_s)
    assert await ends.link.receive() == CONNECT
    await ends.send(*FRAMES)
    ends.link.tell("up 1")
    ends.link.tell(b"up 2")
    began = asyncio.get_running_loop().time()
    assert (await ends.link.receive())["text"] == "up 1"
    assert (await ends.link.receive())["bytes"] == b"up 2"
    assert asyncio.get_running_loop().time() - began == pytest.approx(latency_s)
    await asyncio.sleep(0.001)
    assert ends.came == FRAMES


@in_virtual_time
async def test_a_reset_loses_what_is_on_its_way_and_both_ends_know() -> None:
    """A mark behind it is never passed."""
    ends = Ends(0.2)
    passed = asyncio.Event()
    await ends.send(FRAMES[0])
    await asyncio.sleep(0.1)
    await ends.send(FRAMES[1])
    ends.link.mark(passed.set)
    ends.link.tell("lost")
    await asyncio.sleep(0.15)
    ends.link.reset()
    with pytest.raises(OSError, match="gone"):
        await ends.send(FRAMES[2])
    await asyncio.sleep(1)
    assert ends.came == FRAMES[:1]
    assert [await ends.link.receive(), await ends.link.receive()] == [
        CONNECT,
        {"type": "websocket.disconnect", "code": 1006},
    ]
    assert not passed.is_set()


@in_virtual_time
async def test_a_dark_link_takes_everything_and_tells_nobody() -> None:
    """Until the server misses its pong."""
    ends = Ends()
    passed = asyncio.Event()
    ends.link.go_dark()
    await ends.send(*FRAMES)
    ends.link.mark(passed.set)
    ends.link.tell("lost")
    await asyncio.sleep(KEEPALIVE_S - 1)
    await ends.send(*FRAMES)
    assert ends.link.lost_at is None
    await asyncio.sleep(2)
    with pytest.raises(OSError, match="gone"):
        await ends.send(*FRAMES)
    assert ends.came == []
    assert ends.link.lost_at == KEEPALIVE_S
    assert not passed.is_set()


@in_virtual_time
async def test_a_frame_that_breaks_off_was_never_sent() -> None:
    """The application waits with it until the link is gone."""
    ends = Ends()
    await ends.send(FRAMES[0])
    ends.link.break_in_frame()
    sending = asyncio.create_task(ends.send(FRAMES[1]))
    await asyncio.sleep(0.1)
    assert not sending.done()
    ends.link.reset()
    with pytest.raises(OSError, match="gone"):
        await sending
    assert ends.came == FRAMES[:1]


@in_virtual_time
async def test_a_client_that_does_not_read_stops_the_application() -> None:
    """Once the kernels are full; when it reads again everything is there."""
    ends = Ends()
    ends.link.stall()
    large = [codec.encode(wire.UserTranscriptDelta(item_id="i", text="x" * 30_000))] * 3
    sending = asyncio.create_task(ends.send(*large))
    await asyncio.sleep(1)
    assert not sending.done()
    assert ends.came == []
    ends.link.read_on()
    await sending
    assert ends.came == large


@in_virtual_time
async def test_a_mark_is_passed_when_the_client_has_what_was_sent_before_it() -> None:
    """After the way there and back."""
    ends = Ends(0.2)
    passed = asyncio.Event()
    await ends.send(FRAMES[0])
    ends.link.mark(passed.set)
    await passed.wait()
    assert asyncio.get_running_loop().time() == pytest.approx(0.4)
    assert ends.came == FRAMES[:1]


@in_virtual_time
async def test_closing_is_told_to_the_other_end() -> None:
    """By either; and an application that just stops lets the client go with 1006."""
    by_client, by_server, by_neither = Ends(), Ends(), Ends()
    by_client.link.close()
    assert await by_client.link.receive() == CONNECT
    assert (await by_client.link.receive())["code"] == 1000
    await by_server.link.send({"type": "websocket.close", "code": 1008})
    assert (by_server.hang_up, by_server.close) == (1008, 1008)
    by_server.link.finished()
    by_neither.link.finished()
    assert (by_server.close, by_neither.close) == (1008, 1006)
