"""The spans of a session's calls of tools, and of what the server asks for them.

A call belongs to the turn that made it, whose span is made when the turn is over: a call that
has its result by then waits for it, one that has not is told of it.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec import Struct

from antiphon_providers.interfaces import ToolUse
from antiphon_server.call.spanning import Sketch, Spanning
from antiphon_server.call.tools import Returned
from antiphon_server.observe.spans import Value, new_span_id
from antiphon_server.security.outbound_errors import UnsafeUrl
from antiphon_server.security.urls import read

MOST_CONTENT = 8_192
"""Characters of a text, where a trace may hold what was said."""
_FIRST_ERROR = 400


class _Request(Struct):
    """What the server asked for a call's result."""

    method: str
    url: str
    began: float
    ended: float | None = None
    status: int | None = None
    failure: str | None = None


class _Call(Struct):
    """A call of a tool that has no result yet. Times are seconds of the session's clock."""

    use: ToolUse
    began: float
    reply: int
    ours: bool
    turn_id: int | None = None
    """The span of its turn, once that is over."""
    span_id: int = 0
    http_id: int = 0
    request: _Request | None = None


class _Done(Struct, frozen=True):
    """A call that has its result."""

    call: _Call
    ended: float
    result: str
    error: str | None


class ToolSpans:
    """Those of one session."""

    def __init__(self, spanning: Spanning) -> None:
        self._spanning = spanning
        self._now = spanning.now
        self._open: dict[str, _Call] = {}
        self._done: list[_Done] = []

    def called(self, reply: int, use: ToolUse, ours: bool) -> None:
        """A call is valid and open; ``ours``: the server runs it."""
        call = _Call(use, self._now(), reply, ours, None, new_span_id(), new_span_id())
        self._open[use.call_id] = call

    def asks(self, call_id: str, method: str, url: str) -> None:
        """A server is asked for a call's result."""
        if (call := self._open.get(call_id)) is not None:
            call.request = _Request(method, url, self._now())

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        """It answered, or did not."""
        call = self._open.get(call_id)
        if call is not None and (request := call.request) is not None:
            request.ended, request.status, request.failure = self._now(), status, failure

    def returned(self, returned: Returned) -> None:
        """A call has its one result; one that was refused was never called."""
        call = self._open.pop(returned.call_id, None)
        if call is not None:
            failed = "timeout" if returned.timed_out else "tool_error"
            error = failed if returned.is_error else None
            self._finish(_Done(call, self._now(), returned.result, error))

    def request_of(self, call_id: str) -> int | None:
        """The span of what the server asks for an open call."""
        call = self._open.get(call_id)
        return None if call is None else call.http_id

    def settle(self, reply: int, turn_id: int) -> None:
        """The calls of a reply have a turn to belong to."""
        for call in self._open.values():
            if call.reply == reply:
                call.turn_id = turn_id
        self._flush(turn_id)

    def close(self) -> None:
        """The session is over: calls that have no result never get one."""
        for call_id in list(self._open):
            self._finish(_Done(self._open.pop(call_id), self._now(), "", "cancelled"))
        self._flush(self._spanning.trace.root_id)

    def _finish(self, done: _Done) -> None:
        if done.call.turn_id is None:
            self._done.append(done)
        else:
            self._make(done, done.call.turn_id)

    def _flush(self, parent_id: int) -> None:
        for done in self._done:
            self._make(done, parent_id)
        self._done.clear()

    def _make(self, done: _Done, parent_id: int) -> None:
        call = done.call
        about: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.use.name,
            "gen_ai.tool.call.id": call.use.call_id,
            "gen_ai.tool.type": "extension" if call.ours else "function",
        }
        if self._spanning.trace.tells_content:
            arguments = msgspec.json.encode(call.use.arguments).decode()
            about["gen_ai.tool.call.arguments"] = arguments[:MOST_CONTENT]
            about["gen_ai.tool.call.result"] = done.result[:MOST_CONTENT]
        self._spanning.make(
            Sketch(
                name=f"execute_tool {call.use.name}",
                span_id=call.span_id,
                parent_id=parent_id,
                interval=(call.began, done.ended),
                attributes=about,
                error=done.error,
            )
        )
        if call.request is not None:
            self._make_request(call.request, call, done.ended)

    def _make_request(self, asked: _Request, call: _Call, latest: float) -> None:
        self._spanning.make(
            Sketch(
                name=asked.method,
                span_id=call.http_id,
                parent_id=call.span_id,
                # It may still be under way when the time for an answer is over.
                interval=(asked.began, min(asked.ended or latest, latest)),
                attributes=_http(asked),
                error=asked.failure or _refusal(asked.status),
                kind="client",
            )
        )


def _http(asked: _Request) -> dict[str, Value]:
    """Whom the server asked: no path, no query and no header, which may hold secrets."""
    about: dict[str, Value] = {"http.request.method": asked.method}
    with suppress(UnsafeUrl):
        url = read(asked.url)
        about["server.address"], about["server.port"] = url.host, url.port
        about["url.scheme"] = url.scheme
    if asked.status is not None:
        about["http.response.status_code"] = asked.status
    return about


def _refusal(status: int | None) -> str | None:
    """The error of an HTTP span, by the conventions: 4xx and 5xx are some."""
    return str(status) if status is not None and status >= _FIRST_ERROR else None
