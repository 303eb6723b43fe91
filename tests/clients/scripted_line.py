"""A line without a socket: a ``FakeAgent`` at the other end, for tests in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from antiphon.errors import AntiphonError
from antiphon.events import Event, event_of
from antiphon_protocol import codec
from antiphon_protocol.audio import PCM, Encoding
from clients.fake_agent import FakeAgent


class ScriptedLine:
    """What a ``Caller`` needs of a call. ``sent`` are chunks with the time they came."""

    def __init__(self, agent: FakeAgent, encoding: Encoding = PCM) -> None:
        agent.encoding = encoding
        self.agent = agent
        self.input_encoding = encoding
        self.output_encoding = encoding
        self.sent: list[tuple[float, bytes]] = []
        self._events: asyncio.Queue[Event | AntiphonError | None] = asyncio.Queue()

    async def send_audio(self, samples: bytes) -> None:
        """The agent hears it."""
        now = asyncio.get_running_loop().time()
        self.sent.append((now, samples))
        for message in self.agent.hear(samples):
            self._events.put_nowait(event_of(codec.encode(message), now))

    def happen(self, event: Event | AntiphonError | None) -> None:
        """Makes something happen: an event, what ends the call, or (None) its plain end."""
        self._events.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, AntiphonError):
                raise event
            yield event
