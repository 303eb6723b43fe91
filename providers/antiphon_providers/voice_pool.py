"""Connections to a vendor's voices, kept between replies and shared where the vendor allows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, Protocol, TypeVar

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Sound
from antiphon_providers.observer import Observer
from antiphon_providers.utterance import Utterance, in_turn
from antiphon_providers.vendor_socket import Address, VendorSocket, connect


class Session(Protocol):
    """A connection that speaks; ``run`` lives as long as it does.

    ``is_interrupted`` where it was of use until a speech was cancelled, which ended it.
    """

    is_interrupted: bool

    @property
    def is_free(self) -> bool:
        """Whether a speech may begin now."""
        ...

    def take(self) -> None:
        """A speech begins."""
        ...

    def release(self) -> None:
        """A speech is over, and what is left of it cancelled."""
        ...

    def end(self) -> None:
        """It is not wanted any more; nobody takes it from here on."""
        ...

    async def run(self) -> None:
        """Talks to the vendor until the connection ends, fails, or was idle for long."""
        ...


AnySession = TypeVar("AnySession", bound=Session)


class VoicePool(Generic[AnySession]):
    """The connections of one provider; those of one address are alike.

    ``begin`` makes a session of a connection; ``observer`` is asked for whenever one is opened;
    of those that are free ``most_free`` are kept for the next reply, or all.
    """

    def __init__(
        self,
        begin: Callable[[Address, VendorSocket], Awaitable[AnySession]],
        observer: Callable[[], Observer],
        most_free: int | None = None,
    ) -> None:
        self._begin = begin
        self._observer = observer
        self._most_free = most_free
        self._sessions: dict[asyncio.Task[None], tuple[str, AnySession]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._spares: dict[str, asyncio.Future[AnySession]] = {}
        self._running = False

    @property
    def sessions(self) -> dict[asyncio.Task[None], AnySession]:
        """Those that stand, by the task that runs each, oldest first."""
        return {task: session for task, (_, session) in self._sessions.items()}

    async def start(self, address: Address) -> None:
        """Opens a connection that the first reply will find. Raises ``ProviderError``; after
        anything but ``Refused`` it can be used all the same.
        """
        self._running = True
        (await self._open(address)).release()

    async def close(self) -> None:
        """Ends all connections; what is being spoken fails with ``Unavailable``."""
        self._running = False
        tasks = {*self._sessions, *self._opening}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def speak(
        self,
        sentences: AsyncIterator[str],
        address: Address,
        say: Callable[[AnySession, str], Utterance],
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, each asked for while the one before it sounds."""
        session = await self.session(address)
        try:
            async with aclosing(in_turn(sentences, lambda text: say(session, text))) as sounds:
                async for sound in sounds:
                    yield sound
        finally:
            session.release()
            self.thin_out()
            if session.is_interrupted and self._running:
                # The caller who interrupted will be answered in a moment.
                self._prepare(address)

    async def session(self, address: Address) -> AnySession:
        """One with room for a speech, taken; new where there is none."""
        if not self._running:
            raise Unavailable("the voice is not running", provider=address.provider)
        found = self._found(address.url)
        if found is None and address.url in self._spares:
            await asyncio.wait({self._spares[address.url]})
            found = self._found(address.url)
        return found or await self._open(address)

    def thin_out(self) -> None:
        """Ends the oldest of those that are free, where there are too many."""
        if self._most_free is not None:
            free = [session for session in self.sessions.values() if session.is_free]
            for session in free[: -self._most_free]:
                session.end()

    def _found(self, url: str) -> AnySession | None:
        """A connection to there with room for a speech, taken."""
        for own, session in self._sessions.values():
            if own == url and session.is_free:
                session.take()
                return session
        return None

    def _prepare(self, address: Address) -> None:
        """Opens a connection that the next reply will find."""
        if address.url not in self._spares:
            spare = self._spares[address.url] = self._opened(address)
            spare.add_done_callback(_left)
            spare.add_done_callback(lambda _: self._spares.pop(address.url))

    async def _open(self, address: Address) -> AnySession:
        """A new connection, taken. Whoever waits may leave; the next to come finds it."""
        opened = self._opened(address)
        try:
            return await asyncio.shield(opened)
        except asyncio.CancelledError:
            opened.add_done_callback(_left)
            raise

    def _opened(self, address: Address) -> asyncio.Future[AnySession]:
        opened: asyncio.Future[AnySession] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._live(address, opened))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        # A task that was cancelled before its first step runs none of its own code.
        task.add_done_callback(lambda _: _closed(address, opened))
        return opened

    async def _live(self, address: Address, opened: asyncio.Future[AnySession]) -> None:
        """A connection from its beginning to its end."""
        task = asyncio.current_task()
        try:
            async with connect(address, self._observer()) as socket:
                session = await self._begin(address, socket)
                session.take()
                if task is not None:
                    self._sessions[task] = (address.url, session)
                opened.set_result(session)
                await session.run()
        except ProviderError as failure:
            if not opened.done():
                opened.set_exception(failure)
        finally:
            if task is not None:
                self._sessions.pop(task, None)


def _closed(address: Address, opened: asyncio.Future[AnySession]) -> None:
    """Whoever still waits for this connection is told."""
    if not opened.done():
        opened.set_exception(Unavailable("the voice was closed", provider=address.provider))


def _left(opened: asyncio.Future[AnySession]) -> None:
    """Nobody waits any more for this connection."""
    if not opened.cancelled() and opened.exception() is None:
        opened.result().release()
