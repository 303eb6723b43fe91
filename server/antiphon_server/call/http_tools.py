"""Tools that the server calls itself, because the agent says at which URL.

Source: voice agent protocol, section 3.3, "HTTP tools", and section 4.7.
"""

from __future__ import annotations

import asyncio
import codecs
from email.message import Message
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from antiphon_server.observe import notes
from antiphon_server.security.outbound import OutboundGuard, OutboundRequest, OutboundResponse
from antiphon_server.security.outbound_errors import (
    OutboundError,
    OutboundFailed,
    OutboundTooSlow,
    UnsafeUrl,
)
from antiphon_server.security.urls import origin

DEFAULT_SECONDS = 10.0
"""Of a call that says nothing else; what an agent's tool says is up to 300."""
MOST_RESULT_BYTES = 8 * 1024
"""Of an answer's body that becomes the result (protocol, appendix B)."""

_IN_THE_QUERY = {"GET", "DELETE"}
_CHARSETS = {
    *("utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1251", "windows-1252"),
    *("utf-16", "big5", "euc-kr", "gb18030", "gbk", "gb2312", "koi8-r", "shift_jis", "euc-jp"),
}
"""Those that web servers use. Python knows others, with decoders that do more than decode."""

_NO_JSON = "The arguments cannot be sent."
_REFUSED = "The tool's address cannot be used."
_TOO_SLOW = "The tool did not answer in time."
_FAILED = "The tool could not be reached."
_COMPRESSED = "The tool answered in a form that cannot be read."

log = structlog.get_logger()


class HttpTarget(Struct, frozen=True):
    """Where a tool is called; ``headers`` may hold the agent's secrets."""

    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Without path, query and headers, which hold secrets."""
        return f"HttpTarget({self.method} {origin(self.url)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("method", self.method), ("url", origin(self.url))]


class ToolOutcome(Struct, frozen=True):
    """What the model is told of a call; a failure is told in words that hold no detail."""

    result: str
    is_error: bool = False


class HttpTools:
    """Calls tools through the guard."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard

    async def run(
        self, target: HttpTarget, arguments: dict[str, Any], timeout_s: float = DEFAULT_SECONDS
    ) -> ToolOutcome:
        """Asks once, or a second time where a GET broke off, all within ``timeout_s``.

        Raises nothing: whatever goes wrong is an outcome.
        """
        try:
            request = _request(target, arguments, timeout_s)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return ToolOutcome(_NO_JSON, is_error=True)
        notes.asks(target.method.upper(), target.url)
        try:
            response = await self._ask(request)
        except OutboundError as failed:
            notes.answered(failure=type(failed).__name__)
            log.info("HTTP tool failed", url=origin(target.url), reason=str(failed))
            return ToolOutcome(_told(failed), is_error=True)
        notes.answered(response.status)
        return _outcome(response)

    async def _ask(self, request: OutboundRequest) -> OutboundResponse:
        """A request that only reads may be made again; any other may have been done already."""
        now = asyncio.get_running_loop().time
        until = now() + request.timeout_s
        try:
            return await self._guard.fetch(request)
        except OutboundFailed:
            if request.method != "GET":
                raise
        return await self._guard.fetch(replace(request, timeout_s=max(0.0, until - now())))


def _request(target: HttpTarget, arguments: dict[str, Any], timeout_s: float) -> OutboundRequest:
    method, url, body = target.method.upper(), target.url, b""
    ours = [("accept", "application/json, text/plain;q=0.9, */*;q=0.8")]
    if method in _IN_THE_QUERY:
        url = _with_query(url, arguments)
    else:
        body = msgspec.json.encode(arguments)
        ours.append(("content-type", "application/json"))
    return OutboundRequest(
        method=method,
        url=url,
        headers=(*ours, *target.headers),
        body=body,
        timeout_s=timeout_s,
        max_bytes=MOST_RESULT_BYTES,
    )


def _with_query(url: str, arguments: dict[str, Any]) -> str:
    """The URL with the arguments after its own query, which stays as it is written.

    Text as it is, nulls not at all, everything else as its JSON.
    """
    pairs = [
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in arguments.items()
        if value is not None
    ]
    if not pairs:
        return url
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode(pairs, errors='replace')}"


def _outcome(response: OutboundResponse) -> ToolOutcome:
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the statuses of success.
        return ToolOutcome(f"The tool failed with status {response.status}.", is_error=True)
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        return ToolOutcome(_COMPRESSED, is_error=True)
    return ToolOutcome(_text(response))


def _text(response: OutboundResponse) -> str:
    """The body as text; what cannot be decoded becomes U+FFFD, a cut character nothing."""
    declared = Message()
    declared["content-type"] = response.headers.get("content-type", "")
    charset = str(declared.get_content_charset("utf-8"))
    decoder = codecs.getincrementaldecoder(charset if charset in _CHARSETS else "utf-8")
    return decoder("replace").decode(response.body, final=not response.cut)


def _told(failed: OutboundError) -> str:
    if isinstance(failed, OutboundTooSlow):
        return _TOO_SLOW
    return _REFUSED if isinstance(failed, UnsafeUrl) else _FAILED
