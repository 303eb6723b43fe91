"""Where sessions are played beside each other: a thread of its own with one loop.

Real speech and real windows of time cannot be hurried. So every test that needs nothing but
the server begins early and is only waited for when its turn comes. What several tests look at
is a scene: played once, and they look at what came out.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.invariants import Event
from conformance.target import Target
from conformance.wire import Call

Scene = Callable[[Target], Awaitable["Trace"]]

SCENES_AT_ONCE = 10
TESTS_AT_ONCE = 8
WAIT_SECONDS = 115.0


@dataclass
class Trace:
    """What a scene left: events in order, the close code, and what else it noted."""

    events: list[Event]
    arrivals: list[float]
    close_code: int | None
    notes: dict[str, Any] = field(default_factory=dict)

    def kinds(self, *without: str) -> list[str]:
        """The types of all events in order, without some."""
        return [event["type"] for event in self.events if event["type"] not in without]

    def seen(self, *kinds: str) -> list[Event]:
        """All events of these types."""
        return [event for event in self.events if event["type"] in kinds]

    def index(self, event: Event) -> int:
        """Its place among the events."""
        return next(at for at, one in enumerate(self.events) if one is event)

    def arrival(self, event: Event) -> float:
        """When it came, in seconds of the loop's clock."""
        return self.arrivals[self.index(event)]


def traced(call: Call, **notes: Any) -> Trace:
    """A call so far, as a trace."""
    return Trace(list(call.events), list(call.arrivals), call.close_code, notes)


def shows(scene: Scene) -> pytest.MarkDecorator:
    """Marks a test whose fixture ``trace`` is what came out of this scene."""
    return pytest.mark.scene.with_args(scene)


def needs_target_only(item: pytest.Item) -> bool:
    """Whether a test is a coroutine whose only fixture is the target."""
    if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.function):
        return False
    given = set(item.callspec.params) if hasattr(item, "callspec") else set()
    return set(inspect.signature(item.function).parameters) - given == {"target"}


class Stage:
    """The thread, its loop, and the scenes that were begun."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)
        self._thread.start()
        self._futures: dict[Any, Future[Any]] = {}
        self._scene_places = asyncio.Semaphore(SCENES_AT_ONCE)
        self._test_places = asyncio.Semaphore(TESTS_AT_ONCE)

    def run(self, work: Awaitable[Any]) -> Any:
        """Does something in the stage's loop and waits for it."""

        async def awaited() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(WAIT_SECONDS)

    def trace(self, scene: Scene, target: Target) -> Trace:
        """What came out of a scene, which begins now if it has not. Raises what went wrong."""
        self.begin_scene(scene, target)
        trace: Trace = self._futures[scene].result(WAIT_SECONDS)
        return trace

    def begin_scene(self, scene: Scene, target: Target) -> None:
        """Begins a scene that was not begun yet."""
        self._begin(scene, lambda: scene(target), self._scene_places)

    def begin_test(self, test: pytest.Function, target: Target) -> None:
        """Begins a test that needs nothing but the target."""
        arguments = test.callspec.params if hasattr(test, "callspec") else {}
        function = test.function
        self._begin(test.nodeid, lambda: function(target=target, **arguments), self._test_places)

    def end_test(self, test: pytest.Function) -> bool:
        """Waits for a test that was begun; False if it was not. Raises what it raised."""
        future = self._futures.pop(test.nodeid, None)
        if future is not None:
            future.result(WAIT_SECONDS)
        return future is not None

    def _begin(
        self, key: Any, play: Callable[[], Awaitable[Any]], places: asyncio.Semaphore
    ) -> None:
        async def played() -> Any:
            async with places:
                return await play()

        if key not in self._futures:
            self._futures[key] = asyncio.run_coroutine_threadsafe(played(), self._loop)

    def close(self) -> None:
        """Gives up what still plays and ends the thread."""

        async def finish() -> None:
            current = asyncio.current_task()
            tasks = [task for task in asyncio.all_tasks() if task is not current]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
