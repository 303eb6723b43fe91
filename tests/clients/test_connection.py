"""Opening a call: addresses, keys, refusals and time limits."""

import asyncio
import socket

import pytest
from msgspec import UNSET
from websockets.asyncio.server import ServerConnection, serve

import antiphon
from antiphon_protocol.session_config import SessionConfig
from antiphon_protocol.voice_agent import SessionError, SessionUpdated, UpdateSession
from clients.fake_server import Peer, quiet, serving


async def test_a_call_is_ready_inside_the_block() -> None:
    """Entering waits for session.ready; its facts are on the call."""
    async with serving(quiet) as server, antiphon.connect(server.url) as call:
        assert call.session_id == "sess_1"
        assert call.resume_token == "rt_1"  # noqa: S105
        assert call.expires_at == 1
        assert call.config.id == "sess_1"


async def test_the_key_travels_as_a_bearer_and_the_settings_in_the_first_update() -> None:
    """The server sees what was given to connect, and nothing that was not."""
    async with (
        serving(quiet) as server,
        antiphon.connect(
            server.url.replace("ws:", "http:"),
            "secret",
            timeline=True,
            system_prompt="Be brief.",
            voice="alba",
        ),
    ):
        (peer,) = server.peers
    assert peer.headers["Authorization"] == "Bearer secret"
    assert peer.path == "/v1/ws?timeline=1"
    first = peer.received[0]
    assert isinstance(first, UpdateSession)
    assert first.session is not None
    assert first.session.system_prompt == "Be brief."
    assert peer.session.tools is UNSET


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("unauthorized", antiphon.Unauthorized),
        ("invalid_value", antiphon.InvalidSettings),
        ("at_capacity", antiphon.AtCapacity),
        ("something_new", antiphon.SessionError),
    ],
)
async def test_a_refusal_before_ready_raises_its_own_error(
    code: str, kind: type[antiphon.SessionError]
) -> None:
    """A session.error before session.ready is what connect raises, also unasked (1.3)."""

    async def refuse(peer: Peer) -> None:
        await peer.send(SessionError(code=code, message="No.", param="output.voice"))
        await peer.socket.close(1008)

    async with serving(refuse) as server:
        with pytest.raises(kind) as raised:
            async with antiphon.connect(server.url):
                pytest.fail("there is no call")
    assert raised.value.code == code
    assert raised.value.param == "output.voice"
    assert type(raised.value) is kind


async def test_a_server_that_closes_without_a_word_is_a_lost_connection() -> None:
    """A bare close before session.ready carries its close code."""

    async def hang_up(peer: Peer) -> None:
        await peer.socket.close(1011, "tired")

    async with serving(hang_up) as server:
        with pytest.raises(antiphon.ConnectionLost, match="1011: tired") as raised:
            async with antiphon.connect(server.url):
                pytest.fail("there is no call")
    assert raised.value.close_code == 1011


async def test_a_server_that_never_gets_ready_times_out() -> None:
    """Waiting for session.ready is bounded, although updates were accepted."""

    async def dawdle(peer: Peer) -> None:
        await peer.receive(UpdateSession)
        await peer.send(SessionUpdated(config=SessionConfig(id="sess_1")))
        await peer.socket.wait_closed()

    async with serving(dawdle) as server:
        with pytest.raises(antiphon.TimedOut, match="not ready"):
            async with antiphon.connect(server.url, timeout_s=0.05):
                pytest.fail("there is no call")


async def test_a_port_nobody_listens_on_is_no_server() -> None:
    """A refused connection is named with its address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(antiphon.CannotConnect, match="no voice agent server"):
            async with antiphon.connect(url):
                pytest.fail("there is no call")


async def test_a_web_server_is_no_voice_server() -> None:
    """An HTTP answer instead of an upgrade says its status."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    web = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with web:
        port = web.sockets[0].getsockname()[1]
        with pytest.raises(antiphon.CannotConnect, match="HTTP 404"):
            async with antiphon.connect(f"http://127.0.0.1:{port}"):
                pytest.fail("there is no call")


async def test_a_misspelt_setting_is_refused_before_anything_is_opened() -> None:
    """An unknown keyword names the settings there are."""
    with pytest.raises(TypeError, match=r"no such setting: promt; there are: .*system_prompt"):
        async with antiphon.connect("ws://127.0.0.1:1", promt="?"):  # type: ignore[call-arg]
            pytest.fail("there is no call")


async def test_a_talkative_stranger_is_not_a_voice_server() -> None:
    """Text that is no message fails the handshake as a wrong server, not as a bug."""

    async def chatter(peer: ServerConnection) -> None:
        await peer.send("hello!")
        await peer.wait_closed()

    async with serve(chatter, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(antiphon.CannotConnect, match="no voice agent server"):
            async with antiphon.connect(f"ws://127.0.0.1:{port}"):
                pytest.fail("there is no call")
