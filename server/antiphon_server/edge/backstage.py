"""What a node keeps beside its calls: the database and the ledger, the vault, the way out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from antiphon_protocol.audio import Encoding
from antiphon_server.call.http_tools import HttpTools
from antiphon_server.call.journal import JournalFile, journal_path
from antiphon_server.call.models import OwnModels
from antiphon_server.call.recording import Recording, Studio
from antiphon_server.call.unfinished import Unfinished
from antiphon_server.security.links import Links
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.secrets import KeyFault, load_keys
from antiphon_server.settings import Settings, SettingsError
from antiphon_server.store import past_sessions
from antiphon_server.store.agents import Agents
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifact_s3 import Bucket
from antiphon_server.store.artifact_uploads import Uploads
from antiphon_server.store.artifacts import Artifacts, BadArtifactsUrl, StorageFailed
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.idempotency import Claims
from antiphon_server.store.keys import KeyStore
from antiphon_server.store.ledger import Ledger
from antiphon_server.store.location import data_folder, database_url
from antiphon_server.store.migrate import NewerDatabase, upgrade
from antiphon_server.store.retention import Keeping, sweep
from antiphon_server.store.webhook_outbox import Outbox
from antiphon_server.webhooks.deliverer import Deliverer

log = structlog.get_logger()

SWEEP_SECONDS = 3_600.0
SETTLE_SECONDS = 5.0
"""How long a recording's note waits for the end of its session to be in the database."""


class StartFailed(Exception):
    """The server cannot start; the message says what is wrong and what to do."""


class Tracks:
    """A session's recording, and what becomes of it."""

    def __init__(self, session_id: str, recording: Recording, backstage: Backstage) -> None:
        self._session_id = session_id
        self._recording = recording
        self._backstage = backstage
        self.user = recording.user
        self.agent = recording.agent
        self.hush = recording.hush

    async def close(self) -> None:
        """The session is over, and on record: so is what was recorded of it."""
        recorded = await self._recording.finish()
        if recorded is not None:
            await self._backstage.ledger.settled(SETTLE_SECONDS)
            await self._backstage.register(self._session_id, recorded)
        await self._recording.keep()


class Backstage:
    """Made from settings before the loop runs; raises ``StartFailed``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            self.folder = data_folder(settings)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if settings.journal_dir:
                Path(settings.journal_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.vault = load_keys(settings.secret_keys, self.folder)
            self.database = Database(database_url(settings))
            upgrade(self.database)
            self.artifacts = _storage(settings, self.folder)
        except (SettingsError, KeyFault, Unreachable, NewerDatabase, BadArtifactsUrl) as failure:
            raise StartFailed(str(failure)) from failure
        except OSError as failure:
            raise StartFailed(
                f"the data folder cannot be used: {failure}; choose another with ANTIPHON_DATA_DIR"
            ) from failure
        try:
            self.guard = OutboundGuard(settings.outbound_allow)
        except ValueError as wrong:
            raise StartFailed(f"ANTIPHON_OUTBOUND_ALLOW cannot be used: {wrong}") from wrong
        self.agents = Agents(self.database, self.vault)
        self.key_store = KeyStore(self.database)
        self.claims = Claims(self.database)
        self.keeping = Keeping(self.database, self.artifacts)
        self.links = Links(self.vault.pepper)
        self.models = OwnModels(self.guard)
        self.http_tools = HttpTools(self.guard)
        self.deliverer = Deliverer(self.database, self.vault, self.guard)
        node = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        outbox = Outbox(self.vault)
        self.ledger = Ledger(self.database, self.folder / "spool", node, outbox.enqueue)
        self.register = past_sessions.registrar(self.database)
        self._unfinished = Unfinished(self.folder / "unfinished")
        self._studio: Studio | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Goes on with what earlier processes left. Raises ``StartFailed``."""
        try:
            await self.artifacts.start()
            await self.ledger.start()
            if self.settings.recording:
                self._studio = Studio(self._unfinished.claim(), self.artifacts)
        except (OSError, StorageFailed) as failure:
            raise StartFailed(
                f"the data folder cannot be used: {failure}; choose another with ANTIPHON_DATA_DIR"
            ) from failure
        self._spawn(self._recover(), "recover")
        self._spawn(self.deliverer.run(), "deliver-webhooks")
        if self.settings.retention_days:
            self._spawn(self._sweep(), "sweep")

    async def close(self) -> None:
        """Everything that was recorded is in the database, or waits for the next start."""
        self.deliverer.stop()
        if self._studio is not None:
            await self._studio.close()
            await asyncio.to_thread(self._unfinished.release)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ledger.close()
        await self.models.close()
        await self.guard.close()
        await self.artifacts.close()
        await self.database.close()

    def journal(self) -> Callable[[str], JournalFile] | None:
        """Opens the journal of a session, where calls are journalled."""
        if not self.settings.journal_dir:
            return None
        folder = Path(self.settings.journal_dir)
        return lambda session_id: JournalFile(journal_path(folder, session_id))

    def recording(self) -> Callable[[str, Encoding, Encoding], Tracks] | None:
        """Records a session's audio, where that is wanted."""
        studio = self._studio
        if studio is None:
            return None

        def record(session_id: str, user: Encoding, agent: Encoding) -> Tracks:
            return Tracks(session_id, studio.record(session_id, user, agent), self)

        return record

    async def _recover(self) -> None:
        await self.ledger.settled(SETTLE_SECONDS)
        await self._unfinished.recover(self.artifacts, self.register)

    async def _sweep(self) -> None:
        while True:
            try:
                deleted = await sweep(self.keeping, self.settings.retention_days)
                if deleted:
                    log.info("old sessions deleted", sessions=deleted)
            except Unreachable as failure:
                log.warning("old sessions are not deleted yet", reason=str(failure))
            await asyncio.sleep(SWEEP_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(_told(work, name), name=name))


async def _told(work: Awaitable[None], name: str) -> None:
    """Whatever goes wrong is in the log, and the calls go on."""
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await work
        except Exception:
            log.exception("background work broke off", work=name)


def _storage(settings: Settings, folder: Path) -> Artifacts:
    kept = Folder(folder / "recordings")
    if not settings.artifacts_url:
        return kept
    bucket = Bucket(settings.artifacts_url, os.environ.get("AWS_ENDPOINT_URL", ""))
    return Uploads(Folder(folder / "uploads"), bucket)
