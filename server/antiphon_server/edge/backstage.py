"""What a node keeps beside its calls: the database and the ledger, the vault, the way out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog

from antiphon_protocol.audio import Encoding
from antiphon_protocol.rest import TOKEN_SESSION_SECONDS
from antiphon_server.call.http_tools import HttpTools
from antiphon_server.call.journal import JournalFile, journal_path
from antiphon_server.call.models import OwnModels
from antiphon_server.recording.studio import Recording, Studio, StudioSettings
from antiphon_server.recording.unfinished import Unfinished
from antiphon_server.security.links import Links, check_base
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.secrets import KeyFault, load_keys
from antiphon_server.settings import Settings, SettingsError
from antiphon_server.store import history, past_sessions
from antiphon_server.store.agents import Agents
from antiphon_server.store.artifact_uploads import storage
from antiphon_server.store.artifacts import BadArtifactsUrl, StorageFailed
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.idempotency import Claims
from antiphon_server.store.journals import Journals
from antiphon_server.store.keys import KeyStore
from antiphon_server.store.ledger import Ledger
from antiphon_server.store.location import (
    data_folder,
    database_setting,
    database_url,
    journal_folder,
)
from antiphon_server.store.migrate import NewerDatabase, UnfitDatabase, upgrade
from antiphon_server.store.reserve import Reserve
from antiphon_server.store.retention import Keeping, sweep
from antiphon_server.store.strangers import Strangers, strangers
from antiphon_server.store.webhook_outbox import Outbox, SessionEvent
from antiphon_server.webhooks.deliverer import Deliverer

log = structlog.get_logger()

COMMIT_SECONDS = 0.1
"""How long a transaction of the ledger may take before a webhook of it is looked for."""
DELIVERY_SECONDS = 12.0
"""An attempt, and writing down what came of it."""
TIDY_SECONDS = 3_600.0
SETTLE_SECONDS = 5.0
"""How long old recordings wait for the ends of their sessions to be in the database."""


class StartFailed(Exception):
    """The server cannot start; the message says what is wrong and what to do."""


class Backstage:
    """Made from settings before the loop runs; raises ``StartFailed``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            self.folder = data_folder(settings)
            self._journals = journal_folder(settings)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.vault = load_keys(settings.secret_keys, self.folder)
            self.database = _open_database(settings)
            self._strangers = self._find_strangers()
            self.artifacts = storage(settings.artifacts_url, self.folder / "recordings")
        except (SettingsError, KeyFault, Unreachable) as failure:
            raise StartFailed(str(failure)) from failure
        except BadArtifactsUrl as failure:
            raise StartFailed(f"ANTIPHON_ARTIFACTS_URL cannot be used: {failure}") from failure
        except OSError as failure:
            raise StartFailed(_of_the_folder(failure)) from failure
        try:
            if self._journals is not None:
                self._journals.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as failure:
            raise StartFailed(f"ANTIPHON_JOURNAL_DIR cannot be used: {_told(failure)}") from failure
        try:
            self.guard = OutboundGuard(settings.outbound_allow)
        except ValueError as wrong:
            raise StartFailed(f"ANTIPHON_OUTBOUND_ALLOW cannot be used: {wrong}") from wrong
        try:
            check_base(settings.public_url)
        except ValueError as wrong:
            raise StartFailed(f"ANTIPHON_PUBLIC_URL cannot be used: {wrong}") from wrong
        self.agents = Agents(self.database, self.vault)
        self.key_store = KeyStore(self.database)
        self.claims = Claims(self.database)
        self.keeping = Keeping(self.database, self.artifacts, journals=Journals(self._journals))
        self.links = Links(self.vault.pepper)
        self.models = OwnModels(self.guard)
        self.http_tools = HttpTools(self.guard)
        self.deliverer = Deliverer(self.database, self.vault, self.guard)
        node = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._outbox = Outbox(self.vault)
        self.ledger = Ledger(self.database, self.folder / "spool", node, self._enqueue)
        self._register = past_sessions.registrar(self.database)
        self._unfinished = Unfinished(self.folder / "recordings" / "unfinished")
        self._studio: Studio | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._delivering: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Goes on with what earlier processes left. Raises ``StartFailed``."""
        if self._strangers.keys or self._strangers.secrets:
            log.error("secret keys do not fit the database", reason=str(self._strangers))
        try:
            await self.artifacts.start()
            await self.ledger.start(Reserve(self.folder / "reserve"))
            if self.settings.recording:
                settings = StudioSettings(register=self._register)
                self._studio = Studio(self._unfinished.claim(), self.artifacts, settings)
        except (OSError, StorageFailed) as failure:
            raise StartFailed(_of_the_folder(failure)) from failure
        self._delivering = self._spawn(self.deliverer.run(), "deliver-webhooks")
        self._spawn(self._tidy(), "tidy")

    def _find_strangers(self) -> Strangers:
        """Raises ``StartFailed`` where nobody could come in, and ``Unreachable``."""
        found = self.database.now(partial(strangers, vault=self.vault), writes=False)
        if found.shuts_out and not self.settings.api_keys:
            self.database.dispose()
            raise StartFailed(
                f"{found}; if that is lost, end the keys with `antiphon keys revoke` and create "
                "new ones"
            )
        return found

    def hurry(self) -> None:
        """The end waits for nobody any more: whoever stops the server asked a second time."""
        self.ledger.hurry()
        if self._delivering is not None:
            self._delivering.cancel()

    async def close(self) -> None:
        """Everything that was recorded is in the database, or waits for the next start."""
        self.deliverer.stop()
        if self._delivering is not None:
            # What is under way would otherwise be sent again at the next start.
            await asyncio.wait([self._delivering], timeout=DELIVERY_SECONDS)
        if self._studio is not None:
            await self._studio.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ledger.close()
        await self.models.close()
        await self.guard.close()
        await self.artifacts.close()
        await asyncio.to_thread(self._unfinished.release)
        await self.database.close()

    def journal(self) -> Callable[[str], JournalFile] | None:
        """Opens the journal of a session, where calls are journalled."""
        folder = self._journals
        if folder is None:
            return None
        return lambda session_id: JournalFile(journal_path(folder, session_id))

    def recording(self) -> Callable[[str, Encoding, Encoding], Recording] | None:
        """Records a session's audio, where that is wanted."""
        return None if self._studio is None else self._studio.record

    async def _tidy(self) -> None:
        """What dead processes recorded is kept, what is too old is deleted; each hour."""
        await self.ledger.settled(SETTLE_SECONDS)
        while True:
            try:
                # No session of any node lives longer, however it is set: whoever ran these is
                # gone, and its spool with it.
                oldest = time.time() - TOKEN_SESSION_SECONDS[1] - TIDY_SECONDS
                await self.ledger.close_orphans(oldest)
                await self._unfinished.recover(self.artifacts, self._register)
                await sweep(self.keeping, self.settings.retention_days)
                await history.fill(self.database)
            except Unreachable as failure:
                log.warning("old sessions wait for the database", reason=str(failure))
            except Exception:
                # A fault of our own; the next hour may go well, and a disk must not fill up.
                log.exception("old sessions were not tidied up")
            await asyncio.sleep(TIDY_SECONDS)

    def _enqueue(self, connection: sa.Connection, event: SessionEvent) -> None:
        """On the ledger's thread; the webhook goes out once the transaction is through."""
        self._outbox.enqueue(connection, event)
        self.deliverer.wake(COMMIT_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(_watched(work, name), name=name)
        self._tasks.append(task)
        return task


def _open_database(settings: Settings) -> Database:
    """The database, with this version's tables. Raises ``StartFailed`` and ``SettingsError``."""
    try:
        database = Database(database_url(settings))
        try:
            upgrade(database)
        except BaseException:
            database.dispose()
            raise
    except (Unreachable, NewerDatabase, UnfitDatabase) as failure:
        raise StartFailed(f"{failure} (see {database_setting(settings)})") from failure
    return database


async def _watched(work: Awaitable[None], name: str) -> None:
    """Whatever goes wrong is in the log, and the calls go on."""
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await work
        except Exception:
            log.exception("background work broke off", work=name)


def _of_the_folder(failure: Exception) -> str:
    """What to say where the data folder fails."""
    told = _told(failure) if isinstance(failure, OSError) else str(failure)
    return f"the data folder cannot be used: {told}; choose another with ANTIPHON_DATA_DIR"


def _told(failure: OSError) -> str:
    """Which file, and why, for people."""
    if isinstance(failure, FileExistsError | NotADirectoryError):
        return f"{failure.filename} is a file, or below one, and not a folder"
    return f"{failure.filename}: {failure.strerror}" if failure.filename else str(failure)
