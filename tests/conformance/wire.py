"""One socket of the API, spoken raw: JSON text frames out, events in, everything kept."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from conformance.invariants import Event
from conformance.target import Target

PATIENCE_SECONDS = 10.0
END_SECONDS = 3.0
QUIET_SECONDS = 0.5
"""How long nothing must come for "no event": live, reactions came within 190 ms (§4.2, §4.9)."""

MOST_BYTES = 2**20
"""§1.6: clients refuse larger messages, so a server may not send them."""

AUDIO_CHUNK_MS = 20


class Call:
    """A socket and all that came through it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Event] = []
        self.arrivals: list[float] = []
        self.close_code: int | None = None
        self.session_id = ""
        self.was_left = False
        self._read = 0
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._listen())

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends one message; into a socket that was closed it is lost, as ``next`` will tell."""
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(json.dumps({"type": kind, **fields}))

    async def say(self, pcm: bytes) -> None:
        """Sends bytes as one piece of microphone audio."""
        await self.send("input.audio", audio=base64.b64encode(pcm).decode())

    async def update(self, **session: Any) -> None:
        """Sends a ``session.update``."""
        await self.send("session.update", session=session)

    async def next(self, *kinds: str, seconds: float = PATIENCE_SECONDS, **having: Any) -> Event:
        """The next event, of one of these types and with these fields if any are named.

        Events before it are passed over; they stay in ``events``. Raises ``AssertionError``,
        with what came instead, when it does not come in time or the socket closes.
        """

        def fits(event: Event) -> bool:
            right = not kinds or event["type"] in kinds
            return right and all(event.get(name) == value for name, value in having.items())

        return await self.until(fits, " or ".join(kinds) or "any event", seconds=seconds)

    async def until(
        self, fits: Callable[[Event], bool], what: str, *, seconds: float = PATIENCE_SECONDS
    ) -> Event:
        """The next event that fits; like ``next``."""
        start = self._read
        async with self._news:
            try:
                async with asyncio.timeout(seconds):
                    while True:
                        while self._read < len(self.events):
                            self._read += 1
                            if fits(self.events[self._read - 1]):
                                return self.events[self._read - 1]
                        if self.close_code is not None:
                            break
                        await self._news.wait()
            except TimeoutError:
                pass
        came = [brief(event) for event in self.events[start:]]
        state = "is open" if self.close_code is None else f"was closed with {self.close_code}"
        raise AssertionError(f"no {what}; the socket {state}; instead came {came or 'nothing'}")

    async def closed(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The code with which the server closed the socket."""
        async with self._news:
            async with asyncio.timeout(seconds):
                await self._news.wait_for(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    async def quiet(self, seconds: float = QUIET_SECONDS) -> list[Event]:
        """The events that came in this time and were not read yet; an empty list for none."""
        start = self._read
        async with self._news:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait_for(lambda: self.close_code is not None)
            except TimeoutError:
                pass
        self._read = len(self.events)
        return self.events[start:]

    async def fence(self) -> list[Event]:
        """What came in answer to the messages so far, which the server has read by now.

        A message of a type that does not exist is answered (§2.1) after all that went before.
        """
        start, mark = self._read, f"fence-{uuid.uuid4().hex[:8]}"
        await self.send(mark)
        await self.until(lambda event: mark in str(event.get("message")), f"answer to {mark}")
        return self.events[start : self._read - 1]

    async def error(self, code: str) -> Event:
        """The next ``session.error``, which must be this one."""
        event = await self.next("session.error")
        assert event["code"] == code, event
        return event

    def seen(self, *kinds: str) -> list[Event]:
        """All events of these types so far."""
        return [event for event in self.events if event["type"] in kinds]

    def kinds(self, *without: str) -> list[str]:
        """The types of all events so far, in order, without some."""
        return [event["type"] for event in self.events if event["type"] not in without]

    def arrival(self, event: Event) -> float:
        """When an event came: seconds of the loop's clock."""
        return self.arrivals[next(i for i, one in enumerate(self.events) if one is event)]

    def audio(self, reply_id: str | None = None) -> bytes:
        """The sound of one reply, or of all."""
        return b"".join(
            base64.b64decode(event["data"], validate=True)
            for event in self.seen("reply.audio")
            if reply_id in {None, event["reply_id"]}
        )

    async def end(self) -> None:
        """Ends the session as a good client does: what is left without it goes on to count
        (§4.11), and a run opens more sessions than an account may have at once.
        """
        if self.close_code is None:
            await self.send("session.end")
            with contextlib.suppress(TimeoutError):
                await self.closed(END_SECONDS)
        if self.close_code is None:
            await self.leave()
        await self.socket.close()
        await self._reader

    async def leave(self) -> None:
        """Closes the socket, without ``session.end``."""
        self.was_left = True
        await self.socket.close()
        await self._reader

    async def drop(self) -> None:
        """Loses the connection: no close frame is sent (1006 for the server)."""
        self.was_left = True
        self.socket.transport.abort()
        await self._reader

    async def _listen(self) -> None:
        try:
            async for frame in self.socket:
                event = json.loads(frame) if isinstance(frame, str) else {"type": "<binary>"}
                if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                    event = {"type": "<no type>", "frame": event}
                async with self._news:
                    self.events.append(event)
                    self.arrivals.append(asyncio.get_running_loop().time())
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        async with self._news:
            self.close_code = self.socket.close_code or 1006
            self._news.notify_all()


def brief(event: Event) -> str:
    """An event for a message: without sound and configuration."""
    kept = {key: value for key, value in event.items() if key not in {"data", "config"}}
    return json.dumps(kept)


@asynccontextmanager
async def opened(
    target: Target,
    *,
    header: str | None = None,
    query: str = "",
    path: str = "/v1/ws",
    keyless: bool = False,
) -> AsyncIterator[Call]:
    """A socket with nothing said yet, closed at the end and judged by every rule.

    By default with the API key as it is in the ``Authorization`` header.
    """
    credential = header if header is not None or keyless else target.key
    headers = {"Authorization": credential} if credential else {}
    async with connect(
        f"{target.ws}{path}{query}",
        additional_headers=headers,
        max_size=MOST_BYTES,
        proxy=target.proxy,
    ) as socket:
        call = Call(socket)
        try:
            yield call
        finally:
            await call.end()
            target.ledger.judge(call.events, left=call.was_left)


async def ready(call: Call, **session: Any) -> Event:
    """Sends the first update and gives the ``session.ready``."""
    await call.update(**session)
    event = await call.next("session.ready")
    call.session_id = event["session_id"]
    return event
