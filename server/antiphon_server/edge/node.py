"""One running server: its providers, its keys, its calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from antiphon_protocol.errors import AtCapacity, InternalError
from antiphon_providers import registry
from antiphon_providers.errors import NotInstalled, ProviderError
from antiphon_server.call.ears import Clean
from antiphon_server.call.services import Services
from antiphon_server.dialects.voice_agent import Bound
from antiphon_server.edge.backstage import Backstage, StartFailed
from antiphon_server.edge.calls import Calls
from antiphon_server.edge.own_providers import OwnProviders
from antiphon_server.edge.pipeline import Pipeline, advice
from antiphon_server.edge.readiness import Readiness
from antiphon_server.observe.traces import BadEndpoint, Traces, traces_of
from antiphon_server.security.admission import Admission
from antiphon_server.security.keys import Keys
from antiphon_server.security.limits import Lease, Limits
from antiphon_server.security.secrets import Unsealable
from antiphon_server.security.tokens import Tokens
from antiphon_server.settings import Settings
from antiphon_server.store.database import Unreachable
from antiphon_server.store.database_watch import DatabaseWatch
from antiphon_server.store.disk import Disk
from antiphon_server.store.location import journal_folder
from antiphon_server.webhooks.inline import inline_check, seal_inline

log = structlog.get_logger()


SPARE_SOCKETS = 100
"""Beyond two for each session: those that have not sent their first message yet."""


class Room:
    """What one session takes of a node and of its key."""

    def __init__(self, node: Node, lease: Lease) -> None:
        self._node: Node | None = node
        self._lease = lease

    def leave(self) -> None:
        """Gives it back; again, it changes nothing."""
        if self._node is not None:
            self._node.leave()
            self._lease.release()
        self._node = None


class Node:
    """What all calls of one process share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.backstage = stage = Backstage(settings)
        self.keys = Keys(
            settings.api_keys,
            Tokens(one_time=settings.one_time_tokens),
            stage.key_store,
            stage.vault.pepper,
        )
        self.calls = Calls()
        self.ready = False
        """Between its start and its stop."""
        self._is_stopping = False
        self._limits = Limits(settings)
        self._sessions = 0
        self._sockets = 0
        self.pipeline = Pipeline(settings)
        self.own = OwnProviders(self.pipeline)
        self._noise_suppression: Callable[[], Clean] | None = None
        self.traces: Traces | None = None
        """Of calls, where they are wanted."""
        journals = journal_folder(settings)
        self._disks = [stage.ledger.disk]
        if journals is not None:
            self._disks.append(Disk(journals, "journals", "journals of calls"))
        database = DatabaseWatch(stage.database, lambda: stage.ledger.is_behind)
        self.readiness = Readiness([*self._disks, database])

    @property
    def troubles(self) -> list[str]:
        """Why this server is to be given no new call; empty where it is ready."""
        if self._is_stopping:
            return ["the server is stopping"]
        if not self.ready:
            return ["the server is starting"]
        return self.readiness.troubles

    @property
    def services(self) -> Services:
        """The providers, by what they do in a call."""
        return Services(
            self.pipeline.hearing,
            self.pipeline.speaking,
            self.settings.audio_lead_ms,
            self._noise_suppression,
            recorder=self.backstage.ledger,
            http_tools=self.backstage.http_tools,
            journal=self.backstage.journal(),
            recording=self.backstage.recording(),
            usage=self.pipeline.usage,
            speech_to_speech=self.pipeline.speech_to_speech,
            models=self.pipeline.model,
        )

    async def bind(self, account: str, agent_id: str) -> Bound | None:
        """A stored agent of an account, ready to be called; None where there is none.

        Raises ``InvalidValue`` for an agent that cannot run on a WebSocket, ``InvalidConfig``
        for one whose own providers refuse, and ``InternalError`` where it cannot be read.
        """
        try:
            agent = await self.backstage.agents.bind(account, agent_id)
        except (Unreachable, Unsealable) as failure:
            log.exception("stored agent cannot be read", agent=agent_id)
            raise InternalError from failure
        if agent is None:
            return None
        own, policy = self.backstage.models, self.pipeline.casting.policy
        model = own.of(account, agent.models, policy) if agent.models else None
        if not agent.providers:
            return Bound(agent.config, agent.http, model)
        lease = await self.own.lease(account, agent.providers)
        services = lease.services(self.services)
        return Bound(agent.config, agent.http, model, services, lease.release)

    async def seal_webhook(self, session_id: str, webhook: Any) -> bytes:
        """An inline webhook, checked and sealed. Raises ``InvalidWebhook``."""
        checked = await inline_check(webhook, self.backstage.guard)
        return seal_inline(self.backstage.vault, session_id, checked)

    def create(self) -> None:
        """Makes the providers, and what traces need, from settings. Raises ``StartFailed``."""
        self.pipeline.create()
        try:
            self.traces = traces_of(self.settings, os.environ)
        except BadEndpoint as failure:
            raise StartFailed(str(failure)) from failure
        self._noise_suppression = self._load_noise_suppression()

    def _load_noise_suppression(self) -> Callable[[], Clean] | None:
        """Optional: without it voice focus changes nothing, and the log says so once."""
        try:
            suppression = registry.load("noise_suppression", self.settings.noise)
        except NotInstalled as missing:
            log.warning("voice focus is not available", reason=missing.message)
            return None
        except ProviderError as failure:
            raise StartFailed(advice("noise", failure)) from failure
        return lambda: suppression().clean

    async def start(self) -> None:
        """Loads everything, so that a call starts without loading anything.

        Raises ``StartFailed``.
        """
        await self.pipeline.start()
        await self.backstage.start()
        await self.readiness.start()
        self.ready = True

    async def farewell(self) -> None:
        """Takes no new call any more, and ends those that go on."""
        self.ready = False
        self._is_stopping = True
        await self.calls.close()

    async def close(self) -> None:
        """Releases the providers."""
        await self.farewell()
        await self.readiness.close()
        await self.own.close()
        await self.pipeline.close()
        await self.keys.close()
        await self.backstage.close()
        if self.traces is not None:
            await self.traces.close()

    def enter(self, admission: Admission) -> Room:
        """Room for one more session. Raises ``AtCapacity``, also where nothing that is said in
        it could be kept, and ``ConcurrencyExceeded``.
        """
        is_full = self._sessions >= self.settings.max_sessions
        if is_full or self._is_stopping or any(disk.trouble for disk in self._disks):
            raise AtCapacity
        lease = self._limits.lease(admission)
        self._sessions += 1
        return Room(self, lease)

    def leave(self) -> None:
        """One session less."""
        self._sessions -= 1

    @contextmanager
    def socket(self) -> Iterator[None]:
        """One more socket, which may be about to resume a session. Raises ``AtCapacity``."""
        if self._sockets >= 2 * self.settings.max_sessions + SPARE_SOCKETS:
            raise AtCapacity
        self._sockets += 1
        try:
            yield
        finally:
            self._sockets -= 1
