"""What is sent over one socket after the other, and when it may be told at all."""

from __future__ import annotations

import asyncio

from antiphon_server.call import outbox
from antiphon_server.call.dialect import Frame
from server.call.outbox_wire import Wire, sending
from server.call.scripted_call import sample
from virtual_time import in_virtual_time


def committed(number: int) -> Frame:
    """An event that outlives its socket."""
    return Frame(f"event {number}", number)


async def _dropped(line: Wire, running: asyncio.Task[None]) -> None:
    """The socket is gone."""
    running.cancel()
    await asyncio.wait([running])
    line.outbox.drop()


@in_virtual_time
async def test_what_is_committed_outlives_the_socket() -> None:
    """What was not sent goes over the next one, in order, after that one's first frames; what
    was of the moment is forgotten.
    """
    line = Wire()
    line.open.clear()
    running = asyncio.create_task(line.run())
    for frame in (committed(1), Frame("delta"), committed(2)):
        line.outbox.tell(frame)
    await asyncio.sleep(1)
    await _dropped(line, running)
    line.outbox.tell(Frame("said while nobody was there"))
    line.outbox.tell(committed(3))
    line.open.set()
    line.outbox.reconnect([Frame("ready")], None, lambda frame: frame)
    line.outbox.close()
    await line.run()
    assert [frame for _, frame in line.frames] == ["ready", "event 1", "event 2", "event 3"]


@in_virtual_time
async def test_what_the_client_is_not_known_to_have_is_sent_again() -> None:
    """A socket that takes a frame is no client that has it."""
    line = Wire()
    running = asyncio.create_task(line.run())
    line.outbox.tell(committed(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    line.outbox.tell(committed(2))
    await asyncio.sleep(1)
    line.marks[0]()
    await _dropped(line, running)
    line.outbox.reconnect([], None, lambda frame: frame)
    line.outbox.close()
    await line.run()
    assert [frame for _, frame in line.frames] == ["event 1", "event 2", "event 2"]


@in_virtual_time
async def test_a_client_that_says_what_it_has_is_sent_the_rest() -> None:
    """Nothing twice, nothing not at all."""
    line = Wire()
    running = asyncio.create_task(line.run())
    for number in (1, 2, 3):
        line.outbox.tell(committed(number))
    await asyncio.sleep(1)
    await _dropped(line, running)
    line.outbox.reconnect([], 2, lambda frame: frame)
    line.outbox.close()
    await line.run()
    assert [frame for _, frame in line.frames] == ["event 1", "event 2", "event 3", "event 3"]


@in_virtual_time
async def test_where_nobody_can_tell_what_was_taken_a_frame_is_sent_once() -> None:
    """Twice would be wrong each time; not at all is wrong only where a socket breaks."""
    line = Wire()
    line.can_tell = False
    running = asyncio.create_task(line.run())
    line.outbox.tell(committed(1))
    await asyncio.sleep(1)
    await _dropped(line, running)
    line.outbox.reconnect([], None, lambda frame: frame)
    line.outbox.close()
    await line.run()
    assert [frame for _, frame in line.frames] == ["event 1"]


@in_virtual_time
async def test_a_frame_tells_that_the_clients_side_has_taken_it() -> None:
    """Only then, though it was sent; one that is lost with its socket never does."""
    line = Wire()
    running = asyncio.create_task(line.run())
    taken: list[str] = []
    line.outbox.tell(Frame("first", taken=lambda: taken.append("first")))
    await asyncio.sleep(1)
    assert taken == []
    line.marks[0]()
    assert taken == ["first"]
    line.outbox.tell(Frame("second", taken=lambda: taken.append("second")))
    await asyncio.sleep(1)
    await _dropped(line, running)
    line.outbox.reconnect([], None, lambda frame: frame)
    line.outbox.close()
    await line.run()
    assert [frame for _, frame in line.frames] == ["first", "second"]
    assert taken == ["first"]


@in_virtual_time
async def test_nothing_is_told_before_its_record_is_durable() -> None:
    """And what comes after it waits with it: the order is the order of telling."""
    async with sending() as line:
        durable = line.loop.create_future()
        line.outbox.tell(committed(1), durable)
        line.outbox.tell(Frame("delta"))
        await asyncio.sleep(0.1)
        assert line.frames == []
        durable.set_result(None)
    assert line.frames == [(0.1, "event 1"), (0.1, "delta")]


@in_virtual_time
async def test_a_disk_that_hangs_does_not_silence_a_call() -> None:
    """It is told all the same, late, and counted."""
    before = sample("antiphon_undurable_events_total")
    async with sending() as line:
        never = line.loop.create_future()
        line.outbox.tell(committed(1), never)
    assert line.frames == [(outbox.DURABLE_SECONDS, "event 1")]
    async with sending() as line:
        broken = line.loop.create_future()
        broken.set_exception(OSError("disk is full"))
        line.outbox.tell(committed(1), broken)
    assert [frame for _, frame in line.frames] == ["event 1"]
    assert sample("antiphon_undurable_events_total") == before + 2
