"""Connections to a vendor's voices, kept between replies and shared where the vendor allows it."""

from __future__ import annotations

import asyncio
import os
import string
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from urllib.parse import urlsplit

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Sound
from antiphon_providers.observer import Observer
from antiphon_providers.utterance import in_turn
from antiphon_providers.vendor_socket import connect
from antiphon_providers.voice_contexts import ContextSession, Deadlines, Wire

_KEY_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


class VoicePool:
    """The connections of one provider; ``observer`` is asked for whenever one is opened."""

    def __init__(self, wire: Wire, deadlines: Deadlines, observer: Callable[[], Observer]) -> None:
        self._wire = wire
        self._deadlines = deadlines
        self._observer = observer
        self._sessions: dict[asyncio.Task[None], tuple[str, ContextSession]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._spares: dict[str, asyncio.Future[ContextSession]] = {}
        self._running = False

    async def start(self, voice: str) -> None:
        """Opens a connection that the first reply will find. Raises ``ProviderError``; after
        anything but ``Refused`` it can be used all the same.
        """
        self._running = True
        (await self._open(voice)).release()

    async def close(self) -> None:
        """Ends all connections; what is being spoken fails with ``Unavailable``."""
        self._running = False
        tasks = {*self._sessions, *self._opening}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def speak(self, sentences: AsyncIterator[str], voice: str) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, each asked for while the one before it sounds."""
        session = await self._session(voice)
        try:
            said = in_turn(sentences, lambda sentence: session.say(sentence, voice))
            async with aclosing(said) as sounds:
                async for sound in sounds:
                    yield sound
        finally:
            session.release()
            if session.is_interrupted and self._running:
                # The caller who interrupted will be answered in a moment.
                self._prepare(voice)

    async def _session(self, voice: str) -> ContextSession:
        """One with room for a speech, taken; new where there is none."""
        if not self._running:
            provider = self._wire.address(voice).provider
            raise Unavailable("the voice is not running", provider=provider)
        url = self._wire.address(voice).url
        found = self._found(url)
        if found is None and url in self._spares:
            await asyncio.wait({self._spares[url]})
            found = self._found(url)
        return found or await self._open(voice)

    def _found(self, url: str) -> ContextSession | None:
        """A connection to there with room for a speech, taken."""
        for own, session in self._sessions.values():
            if own == url and session.has_room:
                session.take()
                return session
        return None

    def _prepare(self, voice: str) -> None:
        """Opens a connection that the next reply will find."""
        url = self._wire.address(voice).url
        if url not in self._spares:
            spare = self._spares[url] = self._begin(voice)
            spare.add_done_callback(_left)
            spare.add_done_callback(lambda _: self._spares.pop(url))

    async def _open(self, voice: str) -> ContextSession:
        """A new connection, taken. Whoever waits may leave; the next to come finds it."""
        begun = self._begin(voice)
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            begun.add_done_callback(_left)
            raise

    def _begin(self, voice: str) -> asyncio.Future[ContextSession]:
        begun: asyncio.Future[ContextSession] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._live(voice, begun))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        # A task that was cancelled before its first step runs none of its own code.
        task.add_done_callback(lambda _: self._ended(begun))
        return begun

    def _ended(self, begun: asyncio.Future[ContextSession]) -> None:
        if not begun.done():
            provider = self._wire.address("").provider
            begun.set_exception(Unavailable("the voice was closed", provider=provider))

    async def _live(self, voice: str, begun: asyncio.Future[ContextSession]) -> None:
        """A connection from its beginning to its end."""
        task = asyncio.current_task()
        address = self._wire.address(voice)
        try:
            async with connect(address, self._observer()) as socket:
                session = ContextSession(self._wire, address, socket, self._deadlines)
                session.take()
                if task is not None:
                    self._sessions[task] = (address.url, session)
                begun.set_result(session)
                await session.run()
        except ProviderError as failure:
            if not begun.done():
                begun.set_exception(failure)
        finally:
            if task is not None:
                self._sessions.pop(task, None)


def check_address(base_url: str, api_key: str) -> None:
    """Raises ``ValueError``, as ``__post_init__`` should, without quoting either."""
    if not _KEY_CHARACTERS.issuperset(api_key):
        raise ValueError("api_key has characters that a key cannot have")
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("base_url must be a ws, wss, http or https URL without user and password")


def socket_url(base_url: str) -> str:
    """The address as WebSockets have it, without a slash at its end."""
    scheme, rest = base_url.split("://", 1)
    return f"{_SCHEMES[scheme.lower()]}://{rest.rstrip('/')}"


def key_of(given: str, variable: str, *, is_vendors: bool) -> str:
    """The key to use: the environment's only where it goes to the vendor itself."""
    return given or (os.environ.get(variable, "") if is_vendors else "")


def _left(begun: asyncio.Future[ContextSession]) -> None:
    """Nobody waits any more for this connection."""
    if not begun.cancelled() and begun.exception() is None:
        begun.result().release()
