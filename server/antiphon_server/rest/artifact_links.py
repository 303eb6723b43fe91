"""Links to what a session left, good for an hour, for whoever has them."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request

from antiphon_protocol.rest_sessions import (
    ARTIFACT_CONTENT_TYPES,
    ARTIFACT_LINK_SECONDS,
    ArtifactKind,
    SessionArtifact,
)
from antiphon_server.security.links import Links
from antiphon_server.store.artifacts import StorageFailed, audio_key
from antiphon_server.store.retention import Keeping

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?|\[[0-9a-fA-F:.]+\](:[0-9]+)?", re.ASCII)


class ArtifactLinks:
    """``public_url`` is where clients reach this server; empty: where the request was sent to."""

    def __init__(self, keeping: Keeping, links: Links, public_url: str) -> None:
        self._keeping = keeping
        self._links = links
        self._public_url = public_url

    async def of(self, row: sa.Row[Any], request: Request) -> tuple[SessionArtifact, ...]:
        """A session's: none before its end; no audio where none was recorded."""
        if row.status != "completed":
            return ()
        base = base_of(request, self._public_url)
        kinds = [kind for kind in ARTIFACT_CONTENT_TYPES if kind != "audio" or row.recording]
        return tuple([await self._artifact(row.id, kind, base) for kind in kinds])

    async def _artifact(self, session_id: str, kind: ArtifactKind, base: str) -> SessionArtifact:
        url = None
        if kind == "audio":
            url = await self._storage_link(session_id)
        if url is None:
            url = base + self._links.path(session_id, kind, self._keeping.clock())
        return SessionArtifact(type=kind, url=url, content_type=ARTIFACT_CONTENT_TYPES[kind])

    async def _storage_link(self, session_id: str) -> str | None:
        """Of a storage that clients can reach themselves."""
        try:
            return await self._keeping.artifacts.link(audio_key(session_id), ARTIFACT_LINK_SECONDS)
        except StorageFailed:
            return None


def base_of(request: Request, public_url: str) -> str:
    """What links begin with, without a slash at the end."""
    if public_url:
        return public_url.rstrip("/")
    host = request.headers.get("host", "")
    if _HOST.fullmatch(host) is None:
        host = "localhost"
    return f"{request.scope['scheme']}://{host}"
