"""Who has a stream open, and how its results are told."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import Recognised
from antiphon_providers.streams import OpenStreams, Quiet, Results, beside
from virtual_time import in_virtual_time


class Listening:
    """A stream that works until it is stopped, and writes down what happens to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.works = asyncio.Event()

    async def run(self) -> None:
        """Works."""
        self.works.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.told.append("stopped")

    def end(self) -> None:
        """Takes nothing more."""
        self.told.append("ended")


async def test_a_stream_works_as_long_as_its_context_lasts() -> None:
    """It ends before its work is stopped."""
    streams: OpenStreams[Listening] = OpenStreams("vendor")
    streams.start()
    stream = Listening()
    async with streams.keep(stream) as kept:
        assert kept is stream
        await stream.works.wait()
        assert stream.told == []
    assert stream.told == ["ended", "stopped"]


async def test_a_call_that_fails_leaves_no_work_behind() -> None:
    """Its failure is what is raised."""
    streams: OpenStreams[Listening] = OpenStreams("vendor")
    streams.start()
    stream = Listening()

    async def call() -> None:
        async with streams.keep(stream):
            await stream.works.wait()
            raise ValueError("of the call")

    with pytest.raises(ValueError, match="of the call"):
        await call()
    assert stream.told == ["ended", "stopped"]


async def test_a_provider_that_closes_ends_the_streams_that_are_open() -> None:
    """Those that were left before hear nothing of it."""
    streams: OpenStreams[Listening] = OpenStreams("vendor")
    streams.start()
    left, open_still = Listening(), Listening()
    async with streams.keep(left):
        await left.works.wait()
    async with streams.keep(open_still):
        await open_still.works.wait()
        streams.close()
        assert open_still.told == ["ended"]
    assert left.told == ["ended", "stopped"]


def test_streams_may_be_opened_between_start_and_close() -> None:
    """Before and after it is said who is not running."""
    streams: OpenStreams[Listening] = OpenStreams("vendor", "the model")
    with pytest.raises(Unavailable, match="the model is not running") as refused:
        streams.check()
    assert refused.value.provider == "vendor"
    streams.start()
    streams.check()
    streams.close()
    with pytest.raises(Unavailable):
        streams.check()


async def test_results_come_in_order_until_the_end() -> None:
    """What is told afterwards is not heard, nor is a second end."""
    results = Results()
    results.tell(Recognised("one"))
    results.tell(Recognised("two", flushed=True))
    assert results.is_open
    results.end()
    results.tell(Recognised("three"))
    results.end(Unavailable("too late"))
    assert not results.is_open
    assert [result.text async for result in results] == ["one", "two"]


async def test_a_failure_is_raised_after_what_came_before() -> None:
    """Results that were there are not lost."""
    results = Results()
    results.tell(Recognised("one"))
    results.end(Unavailable("broke off"))
    told = aiter(results)
    assert await anext(told) == Recognised("one")
    with pytest.raises(Unavailable, match="broke off"):
        await anext(told)


async def test_a_companion_is_stopped_with_the_work() -> None:
    """Its own end stops nothing; a failure of the work is the whole's."""
    companion = Listening()

    async def work() -> None:
        await companion.works.wait()
        raise Unavailable("broke off")

    with pytest.raises(Unavailable):
        await beside(companion.run(), work())
    assert companion.told == ["stopped"]

    async def short() -> None:
        return

    other = Listening()
    going_on = asyncio.create_task(beside(short(), other.run()))
    await other.works.wait()
    assert not going_on.done()
    going_on.cancel()
    await asyncio.wait({going_on})
    assert other.told == ["stopped"]


@in_virtual_time
async def test_quiet_is_counted_from_the_last_that_was_sent() -> None:
    """And told once each time that it lasted so long."""
    loop, news, told = asyncio.get_running_loop(), asyncio.Event(), []
    quiet = Quiet(5, news)
    began = loop.time()
    loop.call_later(3, quiet.broken)
    for _ in range(2):
        await news.wait()
        news.clear()
        assert quiet.is_over()
        assert not quiet.is_over()
        told.append(round(loop.time() - began, 3))
    quiet.close()
    assert told == [8, 13]


@in_virtual_time
async def test_nobody_is_woken_by_a_quiet_that_is_closed() -> None:
    """Its timer is gone."""
    news = asyncio.Event()
    Quiet(5, news).close()
    await asyncio.sleep(20)
    assert not news.is_set()
