"""Whose work is under way, for code that serves many sessions: a variable of the context.

A session's tasks run in a context of its own, so that what happens at a provider, deep within
wrappers that know of no session, is noted in that session's trace. Without a trace nothing is.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from typing import Protocol

from antiphon_server.observe.spans import Value


class Noting(Protocol):
    """A session's trace."""

    def note(self, name: str, attributes: dict[str, Value]) -> None:
        """Something happened now."""
        ...

    def asks(self, call_id: str, method: str, url: str) -> None:
        """A server is asked for the result of a tool's call."""
        ...

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        """It answered with a status, or did not: the kind of failure."""
        ...

    def traceparent(self, call_id: str | None) -> str | None:
        """What a server is told that is asked for a tool's call, or for the reply (None)."""
        ...


_SESSION: ContextVar[Noting | None] = ContextVar("session", default=None)
_CALL: ContextVar[str | None] = ContextVar("call", default=None)


def context_of(noting: Noting, call_id: str | None = None) -> Context:
    """The present context, but for whose work it is."""
    context = copy_context()
    context.run(_SESSION.set, noting)
    context.run(_CALL.set, call_id)
    return context


def calling(call_id: str) -> None:
    """The task that asks works for this call of a tool from now on."""
    _CALL.set(call_id)


def note(name: str, **attributes: Value) -> None:
    """Notes what happens now in the trace of the session whose work it is, if there is one."""
    session = _SESSION.get()
    if session is not None:
        session.note(name, attributes)


def asks(method: str, url: str) -> None:
    """The call of a tool that this task works for asks a server."""
    session, call_id = _SESSION.get(), _CALL.get()
    if session is not None and call_id is not None:
        session.asks(call_id, method, url)


def answered(status: int | None = None, failure: str | None = None) -> None:
    """That server answered with a status, or did not: the kind of failure."""
    session, call_id = _SESSION.get(), _CALL.get()
    if session is not None and call_id is not None:
        session.answered(call_id, status, failure)


def outgoing() -> str | None:
    """The ``traceparent`` of a request that leaves now; None where nobody is to be told."""
    session = _SESSION.get()
    return None if session is None else session.traceparent(_CALL.get())
