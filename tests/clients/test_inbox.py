"""The queue between the socket's reader and whoever iterates."""

import asyncio

import pytest

from antiphon.errors import ConnectionLost, FellBehind
from antiphon.events import SpeechStarted, SpeechStopped, UnknownEvent
from antiphon.inbox import Inbox
from virtual_time import in_virtual_time


def _event(number: int) -> UnknownEvent:
    return UnknownEvent(str(number), {})


@in_virtual_time
async def test_events_come_out_in_the_order_they_went_in() -> None:
    """First in, first out."""
    inbox = Inbox()
    await inbox.put(SpeechStarted())
    await inbox.put(SpeechStopped())
    assert [await inbox.take(), await inbox.take()] == [SpeechStarted(), SpeechStopped()]


@in_virtual_time
async def test_what_came_before_the_end_is_delivered_before_its_reason() -> None:
    """Closing loses nothing, and the reason is raised every time it is asked for."""
    inbox = Inbox()
    await inbox.put(SpeechStarted())
    await inbox.close(ConnectionLost(1006))
    await inbox.close()
    assert await inbox.take() == SpeechStarted()
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            await inbox.take()


@in_virtual_time
async def test_a_plain_end_is_none() -> None:
    """Whoever waits is woken by it."""
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.take())
    await inbox.close()
    assert await waiting is None


@in_virtual_time
async def test_a_full_inbox_holds_up_the_reader_until_there_is_room() -> None:
    """Nothing is lost while somebody takes events in time."""
    inbox = Inbox(limit=2, patience_s=10)
    putting = asyncio.create_task(_put(inbox, 5))
    taken = []
    for _ in range(5):
        await asyncio.sleep(9)
        taken.append(await inbox.take())
    await putting
    assert taken == [_event(number) for number in range(5)]


async def _put(inbox: Inbox, count: int) -> None:
    for number in range(count):
        await inbox.put(_event(number))


@in_virtual_time
async def test_a_full_inbox_that_nobody_empties_is_an_error() -> None:
    """It says what to do about it, before a keepalive closes the socket for no clear reason."""
    with pytest.raises(FellBehind, match="keep `async for event in call` running"):
        await _put(Inbox(limit=2, patience_s=10), 3)
    assert asyncio.get_running_loop().time() == pytest.approx(10)


@in_virtual_time
async def test_at_the_end_of_a_call_a_full_inbox_overflows() -> None:
    """The reader gets through to session.ended, also one that waits already."""
    inbox = Inbox(limit=1)
    putting = asyncio.create_task(_put(inbox, 4))
    await asyncio.sleep(1)
    assert not putting.done()
    await inbox.overflow()
    await putting
    assert await inbox.take() == _event(0)
