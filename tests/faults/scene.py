"""A caller who says a few things, and what comes of each."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from msgspec import Struct

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_protocol.session_config import SessionConfig
from antiphon_server.call.session import Session
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.call_settings import CallTimes, call_settings
from antiphon_server.dialects.wording import Terms
from faults import spelling
from providers.resilience.witness import now
from server.call.scripted_call import Caller, Line, LoneHost, Stages, voiced

APOLOGY = "I am sorry, I cannot answer right now."
GREETING = "Good morning, this is the office."
LONGEST_WAIT_S = 25.0
"""For the end of a turn, before it is taken for lost."""
_FRAME_MS = 100
_PAUSE_S = 1.0
"""Of the caller, before the next turn."""


class Turn(Struct):
    """What came of what the caller said (or, before the first turn, of the call's opening)."""

    faulty: bool
    since: float = 0.0
    """When the caller had said it."""
    first_s: float | None = None
    """From the end of what the caller said to the first sound, or to ``reply.error``."""
    gap_s: float = 0.0
    """The longest time without a sound or an event, until the turn was over."""
    user: str = ""
    agent: str = ""
    spelt: str = ""
    """What the sound says, letter by letter."""
    error: str = ""
    done: bool = False

    @property
    def who(self) -> str:
        """Who served it."""
        if APOLOGY in self.agent:
            return "apology"
        if self.error:
            return "error"
        return "nobody" if self.first_s is None else "served"


class Scene:
    """The caller's side: a microphone that is always on, and what is heard in each turn."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._pcm = b""
        self._quiet = asyncio.Event()
        self._microphone = asyncio.create_task(self._run(), name="microphone")

    async def _run(self) -> None:
        size = PCM.size(_FRAME_MS)
        while True:
            chunk, self._pcm = self._pcm[:size], self._pcm[size:]
            if not chunk:
                self._quiet.set()
            frame = codec.encode_input_audio(chunk.ljust(size, b"\0"))
            self._caller.line.coming.put_nowait(frame)
            await asyncio.sleep(_FRAME_MS / 1000)

    async def opening(self, *, faulty: bool) -> Turn:
        """The greeting, which the caller hears to its end."""
        return await self._hears(Turn(faulty=faulty))

    async def turn(self, *, faulty: bool) -> Turn | None:
        """Says something, and waits for all of the answer; None where the call is over."""
        self._quiet.clear()
        self._pcm = voiced(1200)
        await self._quiet.wait()
        if self._caller.heard(wire.SessionEnded):
            return None
        return await self._hears(Turn(faulty=faulty))

    async def _hears(self, turn: Turn) -> Turn:
        """All that comes until the answer is over, or as long as it goes on."""
        since = turn.since = now()
        news = self._caller.line.news
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S), news:
                await news.wait_for(lambda: self._is_over(since))
        ended = now()
        await asyncio.sleep(_PAUSE_S)
        received = self._caller.line.received
        _read(turn, [one for one in received if one[0] <= ended], since, ended)
        return turn

    def _is_over(self, since: float) -> bool:
        """Whether the newest reply that began since then is over, or the call."""
        new = [message for at, message in self._caller.line.received if at >= since]
        begun = [one.reply_id for one in new if isinstance(one, wire.ReplyStarted)]
        done = [
            one.reply_id
            for one in new
            if isinstance(one, wire.ReplyDone) and one.status == "completed"
        ]
        ended = any(isinstance(one, wire.SessionEnded) for one in new)
        return ended or (bool(begun) and begun[-1] in done)

    async def end(self) -> None:
        """Hangs up."""
        self._microphone.cancel()
        await asyncio.wait({self._microphone})


def _read(
    turn: Turn, events: list[tuple[float, wire.FromServer]], since: float, till: float
) -> None:
    """What the events of a turn say."""
    new = [(at, one) for at, one in events if at >= since]
    begun = {one.reply_id for _, one in new if isinstance(one, wire.ReplyStarted)}
    own = [(at, one) for at, one in new if getattr(one, "reply_id", None) in begun]
    ended = [(at, one) for at, one in new if isinstance(one, wire.SessionError)]
    answers = (wire.ReplyAudio, wire.ReplyError, wire.SessionError)
    turn.first_s = next((at - since for at, one in own + ended if isinstance(one, answers)), None)
    turn.gap_s = max(later - earlier for earlier, later in pairwise([since, *_times(new), till]))
    turn.done = any(isinstance(one, wire.ReplyDone) for _, one in own)
    sound = b"".join(b64decode(one.data) for _, one in own if isinstance(one, wire.ReplyAudio))
    turn.spelt = spelling.read(sound)
    for _, message in own + ended:
        match message:
            case wire.AgentTranscript():
                turn.agent = f"{turn.agent} {message.text}".strip()
            case wire.ReplyError() | wire.SessionError():
                turn.error = message.code
    heard = [one.text for _, one in new if isinstance(one, wire.UserTranscript)]
    turn.user = " ".join(heard)


def _times(events: list[tuple[float, wire.FromServer]]) -> list[float]:
    return [at for at, _ in events]


@asynccontextmanager
async def calling(stages: Stages) -> AsyncIterator[Caller]:
    """A session whose first update has been sent; the client leaves at the end."""
    line, host = Line(), LoneHost()
    made = Session(
        voice_agent.session_id(),
        stages.services(),
        call_settings(SessionConfig(""), CallTimes(10_800_000)),
    )
    dialect = voice_agent.VoiceAgent(made, Terms(session_seconds=10_800), host)
    caller = Caller(line, made, dialect, host)
    caller.running = asyncio.create_task(made.run(dialect, line), name="session")
    caller.read(line)
    try:
        caller.update(system_prompt="p", greeting=GREETING)
        await caller.until(wire.SessionReady)
        yield caller
    finally:
        await caller.hang_up()
