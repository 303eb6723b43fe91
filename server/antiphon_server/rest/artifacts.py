"""``/v1/artifacts/{session_id}/{kind}``: what signed links lead to.

The audio is read off the event loop, piece by piece; one range of it may be asked for (RFC
9110, section 14), so that a player can seek. Timeline and metadata are made when they are read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from antiphon_protocol.rest_sessions import (
    ARTIFACT_CONTENT_TYPES,
    ArtifactKind,
    SessionMetadata,
    SessionTimeline,
)
from antiphon_server.rest.errors import NoSuchSession, NotFound, RestError, Unavailable
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.security.links import LinkExpired, LinkInvalid, Links
from antiphon_server.store import past_sessions
from antiphon_server.store.artifacts import (
    Artifact,
    NoSuchArtifact,
    Recorded,
    StorageFailed,
    audio_key,
)
from antiphon_server.store.retention import Keeping
from antiphon_server.store.timeline import timeline

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII | re.IGNORECASE)
_QUERY = (
    Parameter("expires", str, "From the link.", required=True),
    Parameter("signature", str, "From the link.", required=True),
)
_EXTENSIONS: dict[ArtifactKind, str] = {"audio": "ogg", "timeline": "json", "metadata": "json"}


class BadLink(RestError):
    """A link that was not made here for exactly this."""

    status, code, text = 403, "link_invalid", "This link was not made by this server"


class OldLink(RestError):
    """A link that was good."""

    status, code = 403, "link_expired"
    text = "This link has expired; ask for the session again"


class NoSuchRange(RestError):
    """A range that begins behind the end."""

    status, code, text = 416, "range_not_satisfiable", "There are no such bytes"

    def __init__(self, size: int) -> None:
        super().__init__()
        self.headers["content-range"] = f"bytes */{size}"


class StorageAway(Unavailable):
    """The storage of recordings cannot be reached now."""

    text = "The server cannot reach its storage now; try again"


class ArtifactRoutes:
    """Artifacts, for whoever has a link."""

    def __init__(self, keeping: Keeping, links: Links) -> None:
        self._keeping = keeping
        self._links = links

    def operations(self) -> tuple[Operation, ...]:
        """The one address; ``HEAD`` comes with it."""
        return (
            Operation(
                method="GET", path="/v1/artifacts/{session_id}/{kind}", handler=self.get,
                summary="Read what a session left, by a link to it", tag="Sessions",
                query=_QUERY, errors=(BadLink, OldLink, NoSuchSession, NoSuchRange), public=True,
                media=tuple(dict.fromkeys(ARTIFACT_CONTENT_TYPES.values())), other_statuses=(206,),
            ),
        )  # fmt: skip

    async def get(self, request: Request) -> Response:
        """Raises ``BadLink``, ``OldLink``, ``NoSuchSession`` for one that was deleted,
        ``NotFound`` for audio that is not there, ``NoSuchRange`` and ``Unavailable``.
        """
        session_id, kind = self._checked(request)
        row = await self._keeping.database.read(
            lambda connection: past_sessions.find_ended(connection, session_id)
        )
        if row is None:
            raise NoSuchSession
        headers = _headers(session_id, kind)
        if kind == "audio":
            return await self._audio(request, row, headers)
        if kind == "timeline":
            body = await self._keeping.database.read(
                lambda connection: msgspec.json.encode(_timeline(connection, session_id))
            )
        else:
            body = msgspec.json.encode(_metadata(row))
        return Response(body, 200, headers)

    def _checked(self, request: Request) -> tuple[str, ArtifactKind]:
        """What a link leads to. Raises ``BadLink`` and ``OldLink``."""
        session_id, asked = request.path_params["session_id"], request.path_params["kind"]
        query = request.query_params
        try:
            self._links.check(
                session_id,
                asked,
                query.get("expires", ""),
                query.get("signature", ""),
                self._keeping.clock(),
            )
        except LinkInvalid:
            raise BadLink from None
        except LinkExpired:
            raise OldLink from None
        for kind in ARTIFACT_CONTENT_TYPES:
            if kind == asked:
                return session_id, kind
        raise BadLink

    async def _audio(self, request: Request, row: sa.Row[Any], headers: dict[str, str]) -> Response:
        if not row.recording:
            raise NotFound
        try:
            artifact = await self._keeping.artifacts.open(audio_key(row.id))
        except NoSuchArtifact:
            raise NotFound from None
        except StorageFailed:
            raise StorageAway from None
        return _part(request, artifact, headers)


class Streamed(Response):
    """A body of known length that comes piece by piece."""

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(None, status, headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it. What goes wrong on the way breaks the connection off: the client sees that
        the length is not right.
        """
        del scope, receive
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _part(request: Request, artifact: Artifact, headers: dict[str, str]) -> Response:
    """All of an artifact, or the range that is asked for. Raises ``NoSuchRange``."""
    asked = request.headers.getlist("range") if request.method == "GET" else []
    # There is no validator that `If-Range` could name, so its condition is never met.
    is_plain = len(asked) == 1 and "if-range" not in request.headers
    bounds = wanted(asked[0], artifact.size) if is_plain else None
    start, end = bounds or (0, artifact.size)
    headers |= {"accept-ranges": "bytes", "content-length": str(end - start)}
    if bounds is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{artifact.size}"
    if request.method == "HEAD":
        return Response(None, 200, headers)
    return Streamed(artifact.read(start, end), 200 if bounds is None else 206, headers)


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """The bytes a ``Range`` header asks for, from the first to before the last.

    None where it is to be ignored: several ranges, another unit, nonsense. Raises
    ``NoSuchRange``.
    """
    read = _RANGE.fullmatch(header.strip())
    if read is None or read[1] == read[2] == "":
        return None
    if read[1] == "":
        start, end = max(0, size - int(read[2])), size
    else:
        start, end = int(read[1]), min(size, int(read[2]) + 1) if read[2] else size
        if read[2] and int(read[2]) < start:
            return None
    if start >= size:
        raise NoSuchRange(size)
    return start, end


def _headers(session_id: str, kind: ArtifactKind) -> dict[str, str]:
    name = f"{session_id}.{kind}.{_EXTENSIONS[kind]}"
    return {
        "content-type": ARTIFACT_CONTENT_TYPES[kind],
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


def _timeline(connection: sa.Connection, session_id: str) -> SessionTimeline:
    return timeline(session_id, past_sessions.records(connection, session_id))


def _metadata(row: sa.Row[Any]) -> SessionMetadata:
    recorded = msgspec.convert(row.recording, Recorded) if row.recording else None
    told = {} if recorded is None else msgspec.structs.asdict(recorded)
    return SessionMetadata(
        session_id=row.id,
        started_at=datetime.fromtimestamp(row.created_at, UTC),
        ended_at=None if row.ended_at is None else datetime.fromtimestamp(row.ended_at, UTC),
        **{
            name: told.get(name)
            for name in SessionMetadata.__struct_fields__
            if name not in {"session_id", "started_at", "ended_at"}
        },
    )
