"""What a client has taken is known by a pong (RFC 6455, 5.5.3), on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from antiphon_server.edge.socket import MARK
from server.edge.uvicorn_served import served

SECONDS = 10.0


class Book:
    """What the application was told by the transport."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.mark: Callable[[Callable[[], None]], None]
        self.marked = asyncio.Event()
        self.gone = asyncio.Event()
        self._news = asyncio.Event()

    def note(self, name: str) -> Callable[[], None]:
        """What is called once the client has taken all up to here."""

        def passed() -> None:
            self.passed.append(name)
            self._news.set()

        return passed

    async def until(self, count: int) -> None:
        """Returns once so many marks were passed."""
        async with asyncio.timeout(SECONDS):
            while len(self.passed) < count:
                self._news.clear()
                await self._news.wait()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The application: what it is told it says again, and marks."""
        self.mark = scope["extensions"][MARK]
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
            self.mark(self.note(message["text"]))
            self.marked.set()
        self.gone.set()


@asynccontextmanager
async def marking(**variables: str) -> AsyncIterator[tuple[str, Book]]:
    """The address of a running server, and its application's book."""
    book = Book()
    async with served(book, **variables) as address:
        yield address, book


class SilentClient:
    """A client that answers the pings it is told to answer, and no others."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol: ClientProtocol

    async def greet(self, address: str) -> None:
        """The handshake."""
        self._protocol = ClientProtocol(parse_uri(address))
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        self._protocol.receive_data(await self._reader.read(65_536))
        self._protocol.events_received()

    def say(self, *texts: str) -> None:
        """Sends texts."""
        for text in texts:
            self._protocol.send_text(text.encode())
        self._flush()

    async def pings(self, count: int) -> list[bytes]:
        """So many pings, of which none is answered."""
        found: list[bytes] = []
        async with asyncio.timeout(SECONDS):
            while len(found) < count:
                self._protocol.receive_data(await self._reader.read(65_536))
                frames = [e for e in self._protocol.events_received() if isinstance(e, Frame)]
                found += [bytes(frame.data) for frame in frames if frame.opcode is Opcode.PING]
        self._protocol.data_to_send()
        return found

    def pong(self, payload: bytes) -> None:
        """Answers a ping, or none."""
        self._protocol.send_pong(payload)
        self._flush()

    def _flush(self) -> None:
        self._writer.write(b"".join(self._protocol.data_to_send()))


@asynccontextmanager
async def silent(address: str) -> AsyncIterator[SilentClient]:
    """Connected, while it is used."""
    uri = parse_uri(address)
    reader, writer = await asyncio.open_connection(uri.host, uri.port)
    client = SilentClient(reader, writer)
    await client.greet(address)
    try:
        yield client
    finally:
        writer.transport.abort()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_marks_are_passed_in_order_as_a_client_reads() -> None:
    """Any client answers pings by itself."""
    async with marking() as (address, book), connect(address) as client:
        for text in ("one", "two", "three"):
            await client.send(text)
        await book.until(3)
        assert book.passed == ["one", "two", "three"]
        assert [await client.recv() for _ in range(3)] == ["one", "two", "three"]


async def test_a_pong_answers_its_ping_and_all_before_it() -> None:
    """A client may leave out those it is too busy for (RFC 6455, 5.5.3)."""
    async with marking() as (address, book), silent(address) as client:
        client.say("one", "two", "three")
        pings = await client.pings(3)
        assert len(set(pings)) == 3
        assert book.passed == []
        client.pong(pings[1])
        await book.until(2)
        assert book.passed == ["one", "two"]
        client.pong(pings[2])
        await book.until(3)


async def test_pongs_that_answer_nothing_pass_nothing() -> None:
    """One that was answered already, one that nobody asked for, an empty one."""
    async with marking() as (address, book), silent(address) as client:
        client.say("one", "two")
        first, second = await client.pings(2)
        client.pong(b"unheard of")
        client.pong(b"")
        client.pong(first)
        client.pong(first)
        await book.until(1)
        assert book.passed == ["one"]
        client.pong(second)
        await book.until(2)


async def test_a_client_that_never_answers_passes_nothing() -> None:
    """Neither while it is there nor when it is gone."""
    async with marking() as (address, book):
        async with silent(address) as client:
            client.say("one")
            await client.pings(1)
        async with asyncio.timeout(SECONDS):
            await book.gone.wait()
        assert book.passed == []


async def test_after_the_close_nothing_is_marked() -> None:
    """The call is harmless, and is never answered."""
    async with marking() as (address, book):
        async with connect(address) as client:
            await client.send("one")
            await book.until(1)
        async with asyncio.timeout(SECONDS):
            await book.gone.wait()
        book.mark(book.note("late"))
        assert book.passed == ["one"]


async def test_marks_do_not_keep_the_servers_own_pings_from_being_answered() -> None:
    """A client that answers stays, however many marks there are; one that does not is closed."""
    async with marking(PING_SECONDS="0.1") as (address, book):
        async with connect(address) as client:
            loop, sent = asyncio.get_running_loop(), 0
            until = loop.time() + 0.5
            while loop.time() < until:
                await client.send(str(sent))
                assert await client.recv() == str(sent)
                sent += 1
            assert not book.gone.is_set()
            await book.until(sent)
        async with silent(address) as client:
            client.say("one")
            await book.marked.wait()
            async with asyncio.timeout(SECONDS):
                await book.gone.wait()
            assert "one" not in book.passed
