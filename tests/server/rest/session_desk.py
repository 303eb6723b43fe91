"""The REST API of sessions over one database and one folder, with clients of two accounts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from antiphon_server.rest.artifacts import ArtifactRoutes
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.sessions import SessionPlaces, SessionRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.security.links import Links
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import Artifacts
from antiphon_server.store.database import Database
from antiphon_server.store.retention import Keeping
from server.rest.rest_client import Answer, ask
from server.rest.two_accounts import Tenant, two_accounts
from server.store.artifact_contract import file_of
from server.store.ended_sessions import AT, Told, tell

AUDIO = b"OggS" + bytes(range(256)) * 1_500


class Clock(Struct):
    """Unix seconds, as a test sets them."""

    now: float = AT + 3_600

    def __call__(self) -> float:
        """What time it is."""
        return self.now


class Desk:
    """What the tests of sessions and artifacts share."""

    def __init__(
        self, database: Database, folder: Path, artifacts: Artifacts | None = None
    ) -> None:
        self.clock = Clock()
        self.database = database
        self.folder = folder
        self.artifacts = artifacts or Folder(folder / "kept")
        self.settled: list[float] = []
        self.public_url = ""
        self.mine: Tenant
        self.theirs: Tenant

    async def open(self) -> Desk:
        """Makes the API and its two clients."""
        await self.artifacts.start()
        self.mine, self.theirs = await two_accounts(self._operations)
        return self

    def _operations(self, keys: Keys) -> tuple[Operation, ...]:
        keeping, links = Keeping(self.database, self.artifacts, self.clock), Links(b"p" * 32)
        places = SessionPlaces(keeping, links, self.public_url, self._settle)
        sessions, artifacts = SessionRoutes(keys, places), ArtifactRoutes(keeping, links)
        return (*sessions.operations(), *artifacts.operations())

    async def _settle(self, seconds: float) -> bool:
        self.settled.append(seconds)
        return True

    async def had(self, *sessions: Told) -> None:
        """Sessions that were, with their audio where they were recorded."""
        tell(self.database, *sessions)
        for session in sessions:
            if session.is_recorded:
                await self.artifacts.put(file_of(self.folder, AUDIO), f"{session.id}.ogg")

    def of_mine(self, session_id: str, **fields: object) -> Told:
        """A session of the first account."""
        return Told(session_id, self.mine.account, **fields)  # type: ignore[arg-type]

    async def links(self, session_id: str) -> dict[str, str]:
        """Path and query of the link to each artifact, as the first account is told it."""
        got = await self.mine.ask(f"GET /v1/sessions/{session_id}")
        return {one["type"]: _target(one["url"]) for one in got.body["artifacts"]}

    async def read(self, target: str, *headers: tuple[str, str], method: str = "GET") -> Answer:
        """What a link leads to, without a credential."""
        return await ask(self.mine.app, f"{method} {target}", authorization=None, headers=headers)


def _target(url: str) -> str:
    split = urlsplit(url)
    return f"{split.path}?{split.query}"
