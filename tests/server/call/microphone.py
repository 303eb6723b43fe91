"""Ears on scripted providers, and what they noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from antiphon_protocol.audio import PCM
from antiphon_providers.interfaces import HEARING_RATE
from antiphon_server.call.ears import (
    Ears,
    HearingManners,
    HearingServices,
)
from antiphon_server.call.timeline import Timeline
from antiphon_server.conversation.vocabulary import (
    Event,
)
from server.call.scripted_call import (
    Stages,
    timers_left,
)

FRAME_MS = 20
BYTES_PER_MS = HEARING_RATE * 2 // 1000


class Microphone:
    """Ears on scripted providers, and what they noticed, with the loop's seconds."""

    def __init__(self, stages: Stages, manners: HearingManners) -> None:
        self.loop = asyncio.get_running_loop()
        self.timed: list[tuple[float, Event]] = []
        self.timeline = Timeline(self.loop.time, {})
        self.encoding = manners.encoding
        services = HearingServices(stages.vad, stages.turn, stages.stt)
        self.ears = Ears(services, manners, self._notice, self.timeline)

    def _notice(self, event: Event) -> None:
        self.timed.append((self.loop.time(), event))

    @property
    def events(self) -> list[Event]:
        """What was noticed so far."""
        return [event for _, event in self.timed]

    def kinds(self, *wanted: type[Event]) -> list[str]:
        """The names of the events of these kinds, of all without any."""
        return [type(e).__name__ for e in self.events if not wanted or isinstance(e, wanted)]

    def when(self, kind: type[Event]) -> list[float]:
        """The seconds at which events of a kind came."""
        return [when for when, event in self.timed if isinstance(event, kind)]

    async def hears(self, *parts: bytes) -> None:
        """Plays PCM at 24 kHz at its own pace."""
        pcm = b"".join(parts)
        step = PCM.size(FRAME_MS)
        for at in range(0, len(pcm), step):
            self.ears.hear(pcm[at : at + step])
            await asyncio.sleep(FRAME_MS / 1000)

    async def settle(self) -> None:
        """Lets what is ready happen."""
        await asyncio.sleep(0.001)


@asynccontextmanager
async def listening(
    stages: Stages | None = None, manners: HearingManners | None = None
) -> AsyncIterator[Microphone]:
    """Ears that listen until the end of the block."""
    microphone = Microphone(stages or Stages(), manners or HearingManners(PCM))
    running = asyncio.create_task(microphone.ears.run())
    await microphone.settle()
    yield microphone
    microphone.ears.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert timers_left() == []
