"""One recogniser's stream in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon_providers.errors import Malformed, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions, Recognised, SpeechStream, SpeechToText
from antiphon_providers.resilience.line import Line, LineDoors
from antiphon_providers.scripted import Fault, ScriptedSpeechToText
from antiphon_providers.scripted.tones import sine
from virtual_time import in_virtual_time

SPEECH = sine(300, 600, 16000)


class Told:
    """What was told of lines, in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.doors = LineDoors(
            lambda _: self.events.append("opened"),
            lambda _, result: self.events.append(result),
            lambda _, error: self.events.append(error),
        )

    def line(self, provider: SpeechToText) -> Line:
        """A line that may take two seconds to open."""
        return Line(provider, HearingOptions(partials=False), 2.0, self.doors)


class Odd:
    """A recogniser whose stream does as it is told to, which no stream should."""

    name = "odd"

    def __init__(self, results: list[Any], feeding: Exception | None = None) -> None:
        self._results = results
        self._feeding = feeding

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[SpeechStream]:
        """Itself."""
        del options
        yield self

    def feed(self, pcm: bytes) -> None:
        """Raises what it is to raise."""
        del pcm
        if self._feeding is not None:
            raise self._feeding

    def flush(self) -> None:
        """As it feeds."""
        self.feed(b"")

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Its results; without any it waits for ever."""
        for result in self._results:
            yield result
        if not self._results:
            await asyncio.Event().wait()


@in_virtual_time
async def test_a_line_opens_hears_and_closes() -> None:
    """Its stream is left when it is closed, and nothing is told after that."""
    told, recogniser = Told(), ScriptedSpeechToText()
    line = told.line(recogniser)
    line.feed(SPEECH)
    await asyncio.sleep(0.1)
    line.feed(SPEECH)
    line.flush()
    await asyncio.sleep(0.1)
    line.feed(SPEECH)
    line.flush()
    line.close()
    await asyncio.wait({line.task})
    assert told.events == ["opened", Recognised("hello there", flushed=True)]
    assert (recogniser.desk.opened, recogniser.desk.active) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("unavailable at open", Unavailable), ("stall at open", TooSlow), ("malformed", Malformed)],
)
@in_virtual_time
async def test_a_failure_is_told_once(fault: str, expected: type[Exception]) -> None:
    """At open, by never opening, and on the way."""
    told, recogniser = Told(), ScriptedSpeechToText()
    recogniser.desk.fault = Fault.parse(fault)
    line = told.line(recogniser)
    await asyncio.sleep(0.1)
    line.feed(SPEECH)
    line.flush()
    await asyncio.sleep(3)
    line.fail(Unavailable("again"))
    errors = [event for event in told.events if isinstance(event, Exception)]
    assert [type(error) for error in errors] == [expected]
    assert (line.task.done(), recogniser.desk.active) == (True, 0)


@in_virtual_time
async def test_a_stream_that_ends_has_failed() -> None:
    """A call is over when the call says so."""
    told, recogniser = Told(), ScriptedSpeechToText()
    told.line(recogniser)
    await asyncio.sleep(0.1)
    await recogniser.close()
    await asyncio.sleep(0.1)
    assert [type(event) for event in told.events[1:]] == [Unavailable]


@pytest.mark.parametrize("garbage", [None, "words", Recognised(7)])  # type: ignore[arg-type]
@in_virtual_time
async def test_what_is_no_result_is_a_failure(garbage: object) -> None:
    """Whatever else it is."""
    told = Told()
    told.line(Odd([garbage]))
    await asyncio.sleep(0.1)
    assert [type(event) for event in told.events[1:]] == [Malformed]


@in_virtual_time
async def test_a_stream_that_cannot_be_fed_has_failed() -> None:
    """And whoever feeds it does not notice."""
    acts: tuple[Callable[[Line], None], ...] = (lambda line: line.feed(b"12"), Line.flush)
    for act in acts:
        told = Told()
        line = told.line(Odd([], TypeError("no")))
        await asyncio.sleep(0.1)
        act(line)
        await asyncio.sleep(0.1)
        assert [type(event) for event in told.events[1:]] == [TypeError]
        assert line.task.done()
