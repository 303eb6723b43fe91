"""What waits to be sent, and what the user has heard of it.

Messages go at once and in order, each once what it says is durable. Reply audio goes at the
pace at which it is played, with a small lead, so that an interruption has little to recall and
the ledger knows which words were out. A hushed reply's audio is forgotten here, in one place:
after ``hush`` no frame of it is sent.

An outbox outlives its socket. Frames that are committed are kept until the client's side is
known to have taken them, and are sent again, in order, on the socket it comes back on; all
others are only worth something at once, and are forgotten with the socket.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

import structlog
from msgspec import Struct

from antiphon_protocol.audio import Encoding
from antiphon_server.call.dialect import Frame, Socket
from antiphon_server.observe import metrics

FRAME_MS = 40
"""Audio in one frame: a message costs the same whatever its size, and 40 ms is still prompt."""
Sent = Callable[[int, bytes, float], None]

LEAST_MS = 10
"""A shorter piece of audio is not worth a message, even to break a silence."""
MOST_BUFFERED_MS = 8_000
"""Speech synthesised ahead of what was sent; the synthesis waits beyond that."""
MOST_WAITING_BYTES = 512 * 1024
"""Messages a slow client may leave unread before it counts as gone."""
MOST_UNCONFIRMED = 4_096
"""Committed frames whose pong is owed: a call of three hours has about as many in all."""
TICK = 1e-6
"""Seconds too few to wait for: sums of frame lengths are rounded, clocks are coarse."""
SEND_SECONDS = 10.0
"""How long one frame may take to be taken by the socket."""

DURABLE_SECONDS = 0.25
"""How long a message may wait to be durable: a disk that hangs must not silence a call."""

log = structlog.get_logger()


class ClientStalled(Exception):
    """The client does not read what it is sent."""


class Playback:
    """One reply's audio on its way out. Times are seconds of the session's clock."""

    def __init__(self, reply: int, encoding: Encoding, lead_ms: float) -> None:
        self.reply = reply
        self._encoding = encoding
        self._frame_size = encoding.size(FRAME_MS)
        self._least_size = encoding.size(LEAST_MS)
        self._lead = lead_ms / 1000
        self._buffer = bytearray()
        self._complete = False
        self._sent_ms = 0.0
        self._ends_at = 0.0
        self.sounds_at = 0.0
        """When the frame that was taken last is heard, if not earlier."""
        self._room = asyncio.Event()
        self._room.set()
        self._finished = asyncio.Event()

    def add(self, raw: bytes) -> None:
        """More audio, in the wire's encoding."""
        self._buffer += raw
        if self._encoding.ms(len(self._buffer)) > MOST_BUFFERED_MS:
            self._room.clear()

    def complete(self) -> None:
        """No more audio will come."""
        self._complete = True

    @property
    def is_finished(self) -> bool:
        """Whether all audio has been sent and played."""
        return self._finished.is_set()

    async def room(self) -> None:
        """Returns when more audio is wanted."""
        await self._room.wait()

    async def finished(self) -> None:
        """Returns when all audio has been sent and played."""
        await self._finished.wait()

    def take(self, now: float) -> tuple[bytes, float]:
        """The next frame if it is due (else empty), and seconds until the next is worth asking
        for (0: at once; infinite: when more audio came).
        """
        if self._complete and not self._buffer:
            if now >= self._ends_at - TICK:
                self._finished.set()
                return b"", float("inf")
            return b"", self._ends_at - now
        due_in = self._ends_at - self._lead - now
        if due_in > TICK:
            return b"", due_in
        # A caller who hears nothing gets the little there is; otherwise frames are whole.
        runs_dry_in = self._ends_at - now
        wanted = self._frame_size if runs_dry_in > TICK else self._least_size
        if len(self._buffer) < wanted and not self._complete:
            enough_then = len(self._buffer) >= self._least_size
            return b"", runs_dry_in if enough_then else float("inf")
        frame = bytes(self._buffer[: self._frame_size])
        del self._buffer[: self._frame_size]
        if self._encoding.ms(len(self._buffer)) <= MOST_BUFFERED_MS / 2:
            self._room.set()
        self._sent(self._encoding.ms(len(frame)), now)
        return frame, 0.0

    def _sent(self, ms: float, now: float) -> None:
        if now > self._ends_at:
            if self._sent_ms and now > self._ends_at + TICK:
                metrics.LATE_AUDIO.inc()
            self._ends_at = now
        self.sounds_at = self._ends_at
        self._ends_at += ms / 1000
        self._sent_ms += ms

    def played_ms(self, now: float) -> float:
        """Milliseconds of this reply's audio that have been played by now, at the latest."""
        return max(0.0, self._sent_ms - max(0.0, self._ends_at - now) * 1000)

    @property
    def sent_ms(self) -> float:
        """Milliseconds of this reply's audio that were sent."""
        return self._sent_ms


class _Waiting(Struct):
    """A frame on its way."""

    frame: Frame
    durable: asyncio.Future[None] | None = None
    told_at: float = 0.0


class Outbox:
    """Everything that goes to one client, over one socket after the other."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._messages: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._unconfirmed: deque[Frame] = deque()
        self._playback: Playback | None = None
        self._wake = asyncio.Event()
        self._connected = True
        self._closing = False

    def tell(self, frame: Frame, durable: asyncio.Future[None] | None = None) -> None:
        """Queues a message, to be sent once ``durable`` is done.

        Raises ``ClientStalled`` when the client leaves too much unread, or unconfirmed.
        """
        if not self._connected and not frame.seq:
            return
        self._messages.append(_Waiting(frame, durable, self._now()))
        self._waiting_bytes += len(frame.text)
        self._wake.set()
        too_much = self._waiting_bytes > MOST_WAITING_BYTES
        if self._connected and (too_much or len(self._unconfirmed) > MOST_UNCONFIRMED):
            raise ClientStalled

    def begin(self, playback: Playback) -> None:
        """From now on this reply's audio is sent."""
        self._playback = playback

    def play(self, playback: Playback, raw: bytes) -> None:
        """More audio of a reply; that of a hushed one is forgotten."""
        if playback is self._playback:
            playback.add(raw)
            self._wake.set()

    def complete(self, playback: Playback) -> None:
        """All audio of a reply has been given."""
        playback.complete()
        self._wake.set()

    def hush(self, reply: int) -> None:
        """Forgets what was not sent of a reply."""
        if self._playback is not None and self._playback.reply == reply:
            self._playback = None

    def drop(self) -> None:
        """The socket is gone; ``run`` must have been cancelled. What is committed is kept."""
        self._connected = False
        kept = [waiting for waiting in self._messages if waiting.frame.seq]
        self._messages = deque(_Waiting(frame) for frame in self._unconfirmed)
        self._messages.extend(kept)
        self._unconfirmed.clear()
        self._waiting_bytes = sum(len(waiting.frame.text) for waiting in self._messages)

    def reconnect(
        self, first: list[Frame], last_seq: int | None, again: Callable[[Frame], Frame]
    ) -> None:
        """There is a new socket: these frames go first, then what the client has not got, each
        as ``again`` makes it.

        ``last_seq``: the newest committed frame it says it has; None where it does not say.
        """
        missed = [
            _Waiting(again(waiting.frame), waiting.durable, waiting.told_at)
            for waiting in self._messages
            if last_seq is None or waiting.frame.seq > last_seq
        ]
        self._messages = deque([*(_Waiting(frame) for frame in first), *missed])
        self._waiting_bytes = sum(len(waiting.frame.text) for waiting in self._messages)
        self._connected = True
        self._wake.set()

    def close(self) -> None:
        """Ends ``run`` once all messages are sent."""
        self._closing = True
        self._wake.set()

    async def run(self, socket: Socket, frame_of: Callable[[int, bytes], str], sent: Sent) -> None:
        """Sends over one socket until closed or cancelled; ``sent`` is called after each audio
        frame with its reply, its bytes, and the moment from which it is heard.

        Raises ``ClientStalled`` when a frame is not taken in time, and ``ConnectionError``.
        """
        loop = asyncio.get_running_loop()
        while True:
            await self._send_messages(socket)
            if self._closing and not self._messages:
                return
            playback = self._playback
            audio, pause = (b"", float("inf")) if playback is None else playback.take(self._now())
            if playback is not None and audio:
                await _sent(socket, frame_of(playback.reply, audio))
                sent(playback.reply, audio, playback.sounds_at)
                continue
            if self._messages:
                continue
            timer = None if pause == float("inf") else loop.call_later(pause, self._wake.set)
            self._wake.clear()
            try:
                await self._wake.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    async def _send_messages(self, socket: Socket) -> None:
        newest = 0
        taken: list[Callable[[], None]] = []
        while self._messages:
            waiting = self._messages[0]
            if waiting.durable is not None:
                await _settled(waiting.durable, waiting.told_at + DURABLE_SECONDS - self._now())
            # Until it is taken it stays in the queue: a socket that is lost now took nothing.
            await _sent(socket, waiting.frame.text)
            self._messages.popleft()
            self._waiting_bytes -= len(waiting.frame.text)
            if waiting.frame.seq:
                newest = waiting.frame.seq
                self._unconfirmed.append(waiting.frame)
            if waiting.frame.taken is not None:
                taken.append(waiting.frame.taken)
        if (newest or taken) and not socket.mark(lambda: self._confirm(newest, taken)):
            self._confirm(newest, taken)

    def _confirm(self, seq: int, taken: Iterable[Callable[[], None]]) -> None:
        """The client's side has taken all committed frames up to this one, and these."""
        while self._unconfirmed and self._unconfirmed[0].seq <= seq:
            self._unconfirmed.popleft()
        for tell in taken:
            tell()


async def _settled(durable: asyncio.Future[None], seconds: float) -> None:
    """Waits until a record is durable; not for long, and not at the price of the call."""
    if not durable.done():
        await asyncio.wait([durable], timeout=max(0.0, seconds))
    if not durable.done() or durable.exception() is not None:
        metrics.UNDURABLE.inc()
        log.error("told before it was durable")


async def _sent(socket: Socket, frame: str) -> None:
    if socket.push(frame):
        return
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await socket.send(frame)
    except TimeoutError:
        raise ClientStalled from None
