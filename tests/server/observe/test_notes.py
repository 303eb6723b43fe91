"""Whose work is under way."""

from __future__ import annotations

import asyncio

from antiphon_server.observe import notes
from antiphon_server.observe.spans import Value


class Session:
    """A session's trace, as far as notes go."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, dict[str, Value]]] = []
        self.asked: list[tuple[object, ...]] = []

    def note(self, name: str, attributes: dict[str, Value]) -> None:
        """Keeps it."""
        self.noted.append((name, attributes))

    def asks(self, call_id: str, method: str, url: str) -> None:
        """Keeps it."""
        self.asked.append((call_id, method, url))

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        """Keeps it."""
        self.asked.append((call_id, status, failure))

    def traceparent(self, call_id: str | None) -> str | None:
        """Whose it is."""
        return f"parent of {call_id}"


async def test_what_happens_is_noted_where_the_work_is_done_for() -> None:
    """Two sessions' tasks, and the tasks that those start, do not mix."""
    sessions = {"a": Session(), "b": Session()}

    async def inner(name: str) -> None:
        notes.note("deep", of=name)

    async def work(name: str) -> None:
        notes.note("began", of=name)
        await asyncio.create_task(inner(name))

    loop = asyncio.get_running_loop()
    await asyncio.gather(
        *(
            loop.create_task(work(name), context=notes.context_of(session))
            for name, session in sessions.items()
        )
    )
    for name, session in sessions.items():
        assert session.noted == [("began", {"of": name}), ("deep", {"of": name})]


async def test_a_call_of_a_tool_is_known_in_its_own_task_only() -> None:
    """Which call asks a server, and who is told of the trace."""
    session = Session()

    async def tool(call_id: str) -> str | None:
        notes.calling(call_id)
        notes.asks("GET", "https://tools.example/")
        await asyncio.sleep(0)
        notes.answered(200)
        return notes.outgoing()

    async def reply() -> str | None:
        notes.asks("GET", "https://nobody.example/")
        return notes.outgoing()

    loop = asyncio.get_running_loop()
    tasks = [
        loop.create_task(work, context=notes.context_of(session))
        for work in (tool("1"), tool("2"), reply())
    ]
    assert await asyncio.gather(*tasks) == ["parent of 1", "parent of 2", "parent of None"]
    asked = [("1", "GET", "https://tools.example/"), ("1", 200, None)]
    assert [each for each in session.asked if each[0] == "1"] == asked
    assert len(session.asked) == 4


def test_without_a_session_nothing_is_noted_and_nobody_is_told() -> None:
    """As in the work of the server itself."""
    notes.note("nothing", of="nobody")
    notes.asks("GET", "https://nobody.example/")
    notes.answered(failure="gone")
    assert notes.outgoing() is None
