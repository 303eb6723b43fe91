"""The sockets of one session: who is sent to, and how the others leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

from antiphon_server.call.dialect import Dialect, Frame, Socket
from antiphon_server.call.outbox import Outbox
from antiphon_server.call.sockets import GOODBYE_SECONDS, SocketDoors, Sockets
from virtual_time import in_virtual_time


class Plug:
    """A socket that takes frames while ``open`` is set, and notes its close code."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.frames: list[str] = []
        self.closed: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self._failure = failure

    async def receive(self) -> None:
        """Says nothing."""

    def push(self, frame: str) -> bool:
        """Takes none without a wait."""
        del frame
        return False

    async def send(self, frame: str) -> None:
        """Takes a frame, once open."""
        await self.open.wait()
        if self._failure is not None:
            raise self._failure
        self.frames.append(frame)

    def mark(self, passed: Callable[[], None]) -> bool:
        """All that was sent was taken."""
        passed()
        return True

    async def close(self, code: int) -> None:
        """Notes it."""
        self.closed.append(code)


class Fencing:
    """What of a dialect sockets need."""

    def audio(self, reply: int, raw: bytes) -> str:
        """A frame of audio."""
        return f"audio {reply} {len(raw)}"

    def taken_over(self) -> tuple[str, int]:
        """What the old socket is told, and its close code."""
        return "taken over", 4001


DIALECT = cast("Dialect", Fencing())


class Rig:
    """Sockets without a session, and what they told it."""

    def __init__(self) -> None:
        self.outbox = Outbox(asyncio.get_running_loop().time)
        self.lost: list[Socket] = []
        self.broken = 0
        self.tasks: list[asyncio.Task[None]] = []
        doors = SocketDoors(self._spawn, lambda *_: None, self.lost.append, self._broke)
        self.sockets = Sockets(self.outbox, doors)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))
        return self.tasks[-1]

    def _broke(self) -> None:
        self.broken += 1


@asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    """Sockets whose work is over at the end, whatever it was."""
    rig = Rig()
    yield rig
    for task in rig.tasks:
        task.cancel()
    await asyncio.gather(*rig.tasks, return_exceptions=True)


@in_virtual_time
async def test_the_newest_socket_is_sent_to() -> None:
    """What comes after a take-over goes there; the old one is told and closed."""
    async with rigged() as rig:
        old, new = Plug(), Plug()
        rig.sockets.connect(old, DIALECT)
        rig.outbox.tell(Frame("first"))
        await asyncio.sleep(1)
        rig.sockets.fence(old, DIALECT)
        rig.sockets.drop()
        rig.outbox.reconnect([Frame("ready")], None, lambda frame: frame)
        rig.sockets.connect(new, DIALECT)
        assert rig.sockets.current is new
        rig.outbox.tell(Frame("second"))
        await rig.sockets.leave()
        await rig.sockets.close()
    assert (old.frames, old.closed) == (["first", "taken over"], [4001])
    assert (new.frames, new.closed) == (["ready", "second"], [1011])


@in_virtual_time
async def test_an_old_socket_that_takes_nothing_is_closed_all_the_same() -> None:
    """It has two seconds to take what it is told."""
    async with rigged() as rig:
        old = Plug()
        old.open.clear()
        rig.sockets.fence(old, DIALECT)
        await asyncio.sleep(GOODBYE_SECONDS - 0.1)
        assert old.closed == []
        await asyncio.sleep(0.2)
        assert old.closed == [4001]


@in_virtual_time
async def test_a_socket_that_breaks_is_told_and_closed() -> None:
    """The session learns which one; a fault of our own is told as one."""
    async with rigged() as rig:
        reset, faulty = Plug(ConnectionResetError()), Plug(ZeroDivisionError())
        for socket in (reset, faulty):
            rig.sockets.connect(socket, DIALECT)
            rig.outbox.tell(Frame("one"))
            await asyncio.sleep(1)
        assert rig.lost == [reset]
        assert reset.closed == [1011]
        assert rig.broken == 1


@in_virtual_time
async def test_a_client_that_does_not_read_is_waited_for_two_seconds_only() -> None:
    """The end of a session is not the client's to put off; a socket that was cut is closed."""
    async with rigged() as rig:
        slow, cut = Plug(), Plug()
        slow.open.clear()
        rig.sockets.close_code = 1000
        rig.sockets.cut(cut)
        rig.sockets.connect(slow, DIALECT)
        rig.outbox.tell(Frame("one"))
        loop = asyncio.get_running_loop()
        before = loop.time()
        await rig.sockets.leave()
        assert loop.time() - before == GOODBYE_SECONDS
        assert cut.closed == [1000]


@in_virtual_time
async def test_without_a_socket_there_is_none_to_close() -> None:
    """A session whose client is gone just ends."""
    async with rigged() as rig:
        rig.sockets.connect(Plug(), DIALECT)
        rig.sockets.drop()
        assert rig.sockets.current is None
        await rig.sockets.leave()
        await rig.sockets.close()
