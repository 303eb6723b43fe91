"""Sockets are connected to what was judged, and to nothing else."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpcore
import pytest

from antiphon_server.security.destinations import Destinations
from antiphon_server.security.dialing import Dialer
from antiphon_server.security.outbound_errors import Unresolved, UnsafeUrl
from outbound_peer import Names


@asynccontextmanager
async def listener(host: str = "127.0.0.1") -> AsyncIterator[tuple[int, list[str]]]:
    """A port that takes connections, and the names of their own ends."""
    taken: list[str] = []

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer.get_extra_info("sockname")[0])
        writer.close()

    server = await asyncio.start_server(take, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], taken


@contextmanager
def deaf() -> Iterator[int]:
    """A port on 127.0.0.3 at which connections hang: its queue is full and nobody takes any."""
    with contextlib.ExitStack() as open_sockets:
        listening = open_sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.3", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def dialer(port: int, *answers: list[str]) -> tuple[Dialer, Names]:
    """One that may connect to ``llm.example`` at a port, which has these answers in turn."""
    names = Names({"llm.example": list(answers)})
    return Dialer(Destinations((f"llm.example:{port}",), names)), names


async def test_a_name_is_resolved_once_for_each_connection() -> None:
    """And the connection goes to the answer: there is no second one to differ from it."""
    async with listener() as (port, taken):
        dial, names = dialer(port, ["127.0.0.1"])
        for lookups in (1, 2):
            stream = await dial.connect_tcp("llm.example", port)
            assert await stream.read(1) == b""
            await stream.aclose()
            assert names.asked == ["llm.example"] * lookups
    assert taken == ["127.0.0.1"] * 2


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    """As browsers do."""
    async with listener() as (port, taken):
        dial, _ = dialer(port, ["127.0.0.2", "127.0.0.1"])
        await (await dial.connect_tcp("llm.example", port)).aclose()
    assert taken == ["127.0.0.1"]


async def test_a_host_that_refuses_is_told_without_its_address() -> None:
    """The text goes to a client, and the address is the operator's."""
    async with listener("127.0.0.2") as (port, taken):
        dial, _ = dialer(port, ["127.0.0.1"])
        with pytest.raises(httpcore.ConnectError, match=r"llm\.example did not take") as failed:
            await dial.connect_tcp("llm.example", port)
    assert "127" not in str(failed.value)
    assert taken == []


async def test_a_host_that_does_not_answer_is_not_waited_for() -> None:
    """Its addresses share the time that there is."""
    with deaf() as port:
        dial, _ = dialer(port, ["127.0.0.3"])
        with pytest.raises(httpcore.ConnectTimeout, match="in time"):
            await dial.connect_tcp("llm.example", port, timeout=0.05)


async def test_an_address_of_the_network_is_not_connected_to() -> None:
    """Nor is a public one that came with it: the name is refused whole."""
    async with listener() as (port, taken):
        dial, _ = dialer(1, ["93.184.215.14", "127.0.0.1"])
        with pytest.raises(UnsafeUrl, match="public address"):
            await dial.connect_tcp("llm.example", port)
        with pytest.raises(UnsafeUrl, match="public address"):
            await dial.connect_tcp("127.0.0.1", port)
        with pytest.raises(Unresolved):
            await dial.connect_tcp("other.example", port)
    assert taken == []


async def test_files_are_not_connected_to() -> None:
    """A socket in the file system is always the machine's own."""
    dial, _ = dialer(1, [])
    with pytest.raises(httpcore.ConnectError):
        await dial.connect_unix_socket("/run/docker.sock")


async def test_it_can_wait() -> None:
    """The pool asks for that too."""
    dial, _ = dialer(1, [])
    await dial.sleep(0)
