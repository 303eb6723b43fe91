"""A client that speaks the raw wire over one socket after the other."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from antiphon_protocol import codec
from antiphon_providers.scripted.tones import tone_of
from endurance.processes import KEY
from endurance.story import Story

RATE = 24_000
VOICE_MS = 400
PAUSE_MS = 300
GREETING = "Good day, and thank you for calling."
LOOK_UP = {"type": "function", "name": "look_up", "description": "Looks something up."}
SESSION: dict[str, Any] = {
    "greeting": GREETING,
    "tools": [LOOK_UP],
    "input": {"turn_detection": {"min_silence": 100, "max_silence": 400}},
}
UNHARMED_S = 10.0


class NotResumed(Exception):
    """The server did not take the session up again; the message is the code of its error."""


class Caller:
    """A client on a line that may fail. It answers tool calls, unless it ``holds_results``."""

    def __init__(self, port: int, number: int, *, tells_last_seq: bool = True) -> None:
        self.number = number
        self.story = Story(told_last_seq=tells_last_seq)
        self.session_id = ""
        self.resume_token = ""
        self.holds_results = False
        self.said = 0
        self._turn_began = 0
        self._address = f"ws://127.0.0.1:{port}/v1/ws"
        self._tells_last_seq = tells_last_seq
        self.refusal = ""
        """The code of the last error."""
        self.close_code: int | None = None
        """Of the last socket, once it is gone."""
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = 0
        self._answered: set[str] = set()

    # --- sockets -------------------------------------------------------------------------

    async def open(self, **settings: Any) -> None:
        """A new session, ready."""
        before = self._ready
        await self.connect(KEY)
        await self.send("session.update", session={**SESSION, **settings})
        await self.story.until(lambda: self._ready > before, "session.ready")

    async def connect(self, credential: str) -> None:
        """A new socket, on which nothing is said."""
        await self.leave()
        headers = {"Authorization": f"Bearer {credential}"}
        self._socket = await connect(
            self._address,
            additional_headers=headers,
            compression=None,
            proxy=None,
            ping_interval=None,
        )
        self._reader = asyncio.create_task(self._read(self._socket))

    async def leave(self) -> None:
        """The socket there is is cut, and what came over it has been taken."""
        if self._socket is not None:
            self._socket.transport.abort()
        await self.until_lost()

    async def until_lost(self) -> int | None:
        """Returns when the socket is gone, however that happens; with the code of the close."""
        if self._reader is not None:
            gone, _ = await asyncio.wait([self._reader], timeout=UNHARMED_S)
            assert gone, "the socket is still there"
            self._reader = None
        return self.close_code

    async def ask_to_resume(self) -> None:
        """On a new socket; the answer is not awaited."""
        seq = {"last_seq": self.story.last_seq} if self._tells_last_seq else {}
        await self.send("session.resume", session_id=self.session_id, **seq)

    async def come_back(self, credential: str) -> float:
        """Resumes; returns the seconds from the first packet to ``session.ready``.

        Raises ``NotResumed``.
        """
        loop = asyncio.get_running_loop()
        began, before, self.refusal = loop.time(), self._ready, ""
        await self.connect(credential)
        await self.ask_to_resume()
        await self.story.until(
            lambda: self._ready > before or bool(self.refusal) or not self.is_connected,
            "answer to session.resume",
        )
        took = loop.time() - began
        if self._ready == before:
            raise NotResumed(self.refusal or "the socket was closed")
        for call in self.story.of("tool.call"):
            # It may have been lost with the socket; the server takes the first of them.
            if call["call_id"] in self._answered:
                await self._give_result(call["call_id"])
        return took

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                await self._take(json.loads(frame))
        except ConnectionClosed:
            pass
        self.close_code, self._socket = socket.close_code, None
        await self.story.nudge()

    @property
    def is_connected(self) -> bool:
        """Whether there is a socket that nobody has closed."""
        return self._socket is not None

    async def _take(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "session.ready":
            self.session_id, self.resume_token = event["session_id"], event["resume_token"]
            self._ready += 1
        elif kind == "session.error":
            self.refusal = event["code"]
        await self.story.add(event)
        if kind == "tool.call" and not self.holds_results:
            await self.give_result(event["call_id"])

    # --- what is said --------------------------------------------------------------------

    async def send(self, kind: str, **fields: Any) -> None:
        """One message; into a socket that is gone it is lost."""
        try:
            if self._socket is not None:
                await self._socket.send(json.dumps({"type": kind, **fields}))
        except ConnectionClosed:
            pass

    async def speak(self, ms: int = VOICE_MS) -> None:
        """Sends the voice of the next turn, as much of it as is wanted."""
        await self._sound(tone_of(self.turn_number, ms, RATE))

    async def pause(self) -> None:
        """Sends the silence that ends a turn."""
        await self._sound(bytes(PAUSE_MS * RATE // 1000 * 2))

    async def _sound(self, pcm: bytes) -> None:
        try:
            if self._socket is not None:
                await self._socket.send(codec.encode_input_audio(pcm))
        except ConnectionClosed:
            pass

    @property
    def turn_number(self) -> int:
        """What is heard in the sound of this turn; no other caller or turn has it."""
        return self.number * 16 + self.said % 16

    @property
    def words(self) -> str:
        """What this turn is heard as."""
        return f"caller {self.turn_number}"

    async def give_result(self, call_id: str) -> None:
        """Answers a tool call."""
        self._answered.add(call_id)
        await self._give_result(call_id)

    async def _give_result(self, call_id: str) -> None:
        await self.send("tool.result", call_id=call_id, result=f"result of {call_id}")

    # --- what is waited for --------------------------------------------------------------

    async def until_greeted(self) -> None:
        """The greeting is over, heard out or not."""
        await self.story.until(
            lambda: bool(self.story.of("reply.done")) and self.story.reply is None,
            "end of the greeting",
        )

    async def until_heard(self) -> None:
        """The words of this turn came back."""
        await self.story.until(self._is_heard, f"transcript.user with '{self.words}'")

    async def until_answered(self) -> None:
        """This turn was heard, and its answer is over."""
        await self.until_heard()
        await self.story.until(self._is_answered, f"answer to '{self.words}'")
        self.said += 1

    def begin_turn(self) -> None:
        """What came so far is no part of this turn."""
        self._turn_began = len(self.story.events)

    async def until_noticed(self, kind: str) -> None:
        """An event of this type came in this turn."""
        await self.story.until(
            lambda: any(event["type"] == kind for event in self.story.events[self._turn_began :]),
            kind,
        )

    async def until_called(self) -> None:
        """A tool was called that has no result yet."""
        await self.story.until(lambda: bool(self.open_calls), "tool.call")

    @property
    def open_calls(self) -> list[str]:
        """Calls that were not answered."""
        calls = [event["call_id"] for event in self.story.of("tool.call")]
        return [call for call in calls if call not in self._answered]

    def _is_heard(self) -> bool:
        return any(text == self.words for _, text in self.story.user_lines)

    def _is_answered(self) -> bool:
        """After the words something was said by the agent, and nothing is being said."""
        kinds = [
            "here" if event.get("text") == self.words else event["type"]
            for event in self.story.of("transcript.user", "transcript.agent", "reply.done")
        ]
        after = kinds[kinds.index("here") :] if "here" in kinds else []
        return "transcript.agent" in after and after[-1] == "reply.done"

    async def rest(self) -> None:
        """Returns when no reply is open, and none will be by itself."""
        for number in itertools.count():
            await self.story.until(lambda: self.story.reply is None, "end of the reply")
            # A type that there is not is answered after all that was begun before.
            fence = f"fence-{number}"
            await self.send(fence)
            await self.story.until(lambda: self._is_answered_to(fence), f"answer to {fence}")  # noqa: B023
            if self.story.reply is None:
                return

    def _is_answered_to(self, kind: str) -> bool:
        return any(kind in event["message"] for event in self.story.of("session.error"))

    async def end(self) -> None:
        """Ends the session at rest, and waits for the server's goodbye."""
        await self.rest()
        await self.send("session.end")
        await self.story.until(lambda: bool(self.story.of("session.ended")), "session.ended")
        await self.until_lost()


@asynccontextmanager
async def calling(port: int, number: int, *, tells_last_seq: bool = True) -> AsyncIterator[Caller]:
    """A caller, whose socket is cut at the end of the block if it is still there."""
    caller = Caller(port, number, tells_last_seq=tells_last_seq)
    try:
        yield caller
    finally:
        await caller.leave()
