"""Calls through the WebSocket, spoken to turn by turn, of which nothing may get lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_providers.scripted.tones import tone_of
from server.edge.asgi_client import Client, VirtualNode, connected

FRAME_MS = 50
PAUSE_MS = 1500


class Caller:
    """One caller, whose turns the agent answers."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.turns = 0

    async def speaks(self, while_speaking: Callable[[], object] | None = None) -> None:
        """One turn at its own pace, a second of sound and a pause, and the whole answer.

        ``while_speaking`` is called in its middle.
        """
        self.turns += 1
        sound = tone_of(self.turns, 1000, PCM.rate) + bytes(PCM.size(PAUSE_MS))
        size = PCM.size(FRAME_MS)
        for at in range(0, len(sound), size):
            if at == size * 10 and while_speaking is not None:
                while_speaking()
            self.client.tell(codec.encode_input_audio(sound[at : at + size]))
            await asyncio.sleep(FRAME_MS / 1000)
        await self.client.until(wire.ReplyDone, self.turns)

    @property
    def said(self) -> list[str]:
        """What the agent said, reply by reply."""
        return [each.text for each in self.client.heard(wire.AgentTranscript)]

    @property
    def understood(self) -> list[str]:
        """What was understood, turn by turn."""
        return [each.text for each in self.client.heard(wire.UserTranscript)]

    @property
    def served(self) -> list[dict[str, str]]:
        """Who served each turn, by its timeline."""
        return [dict(each.providers) for each in self.client.heard(wire.TurnTimeline)]

    @property
    def trouble(self) -> list[str]:
        """Everything a client is told when something went wrong."""
        kinds = ("reply.error", "session.error")
        return [kind for kind in self.client.kinds if kind in kinds]


@asynccontextmanager
async def calling(node: VirtualNode) -> AsyncIterator[Caller]:
    """A call, open and silent."""
    async with connected(node, "timeline=1") as client:
        client.tell('{"type":"session.update","session":{}}')
        await client.until(wire.SessionReady)
        yield Caller(client)
