"""Where a Realtime session is, how it begins and what its errors mean."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.errors import Refused, TooSlow, Unavailable
from antiphon_providers.observer import SILENT
from antiphon_providers.openai_realtime_connection import (
    BASE_URL,
    Wire,
    address_of,
    leave_after,
)
from antiphon_providers.openai_realtime_wire import (
    Append,
    Commit,
    Failed,
    Trouble,
)
from antiphon_providers.vendor_options import VendorOptions
from antiphon_providers.vendor_socket import Address, connect
from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault

SESSION = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


def options(base_url: str, api_key: str = "") -> VendorOptions:
    """Those of either use of the API."""
    return VendorOptions(base_url=base_url, api_key=api_key)


def address(fake: FakeOpenAIRealtime) -> Address:
    """A conversation at the fake."""
    return address_of("openai-realtime", options(fake.url, KEY), {"model": "m"})


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (BASE_URL, "wss://api.openai.com/v1/realtime?model=m+1"),
        ("http://127.0.0.1:9/v1/", "ws://127.0.0.1:9/v1/realtime?model=m+1"),
        ("wss://host/a?b=c", "wss://host/a/realtime?b=c&model=m+1"),
    ],
)
def test_an_address_is_a_socket_beside_the_base(base_url: str, url: str) -> None:
    """With what its own query has."""
    assert address_of("p", options(base_url, "k"), {"model": "m 1"}).url == url


def test_the_vendors_variable_goes_to_the_vendor_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other address gets a key from the environment; none shows one."""
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    own = address_of("p", options(BASE_URL), {})
    assert own.headers == {"Authorization": "Bearer from-the-environment"}
    assert own.secrets == ("from-the-environment",)
    assert "from-the-environment" not in repr(own)
    assert address_of("p", options("ws://127.0.0.1/v1"), {}).headers == {}


def test_a_session_is_left_some_minutes_before_its_end() -> None:
    """Half-way where it is short; one that does not say when lasts an hour."""
    assert [leave_after(lasts) for lasts in (3600, 400, 10, 0, -5)] == [3300, 200, 5, 3300, 3300]


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (
            Trouble("No.", "invalid_request_error", "invalid_value", "session.audio.model"),
            Refused,
            "invalid_value: No.",
        ),
        (Trouble("Late.", "invalid_request_error", "session_expired"), Unavailable, "expired"),
        (Trouble("Slow down.", "rate_limit_error"), Unavailable, "Slow down."),
        (Trouble("Oops.", "server_error"), Unavailable, "Oops."),
        (Trouble(f"{KEY} is wrong.", "invalid_request_error"), Refused, "is wrong"),
        (Trouble(), Unavailable, "an error"),
        (Trouble("x" * 5000, "server_error"), Unavailable, "x"),
    ],
)
async def test_an_error_is_what_it_says(
    trouble: Trouble, kind: type[Exception], words: str
) -> None:
    """Whether asking again may help is in its code or type; its words are the vendor's."""
    async with (
        FakeOpenAIRealtime() as fake,
        connect(address(fake), SILENT) as socket,
    ):
        failure = Wire(address(fake), socket).error(trouble)
    assert type(failure) is kind
    assert words in failure.message
    assert KEY not in failure.message
    assert len(failure.message) < 1000
    assert failure.provider == "openai-realtime"
    assert failure.provider_param == ("model" if trouble.param else None)


async def test_a_session_begins_with_its_settings() -> None:
    """And tells when it expires."""
    async with FakeOpenAIRealtime() as fake, connect(address(fake), SILENT) as socket:
        wire = Wire(address(fake), socket)
        assert await wire.begin(SESSION, 1000) > 0
        assert fake.connections[0].events == [{"type": "session.update", "session": SESSION}]
    async with FakeOpenAIRealtime() as fake:
        fake.fault = Fault(mute=True)
        async with connect(address(fake), SILENT) as socket:
            with pytest.raises(TooSlow, match="did not begin a session within 100 ms"):
                await Wire(address(fake), socket).begin(SESSION, 100)


async def test_what_is_put_goes_out_in_order_and_audio_not_without_end() -> None:
    """A network that takes nothing costs a minute of audio, not the memory, and no other event."""
    async with FakeOpenAIRealtime() as fake, connect(address(fake), SILENT) as socket:
        wire = Wire(address(fake), socket)
        await wire.begin(SESSION, 1000)
        for _ in range(2000):
            wire.put(Append("AAAA"))
        wire.put(Commit("mine"))
        delivering = asyncio.create_task(wire.deliver())
        event = await wire.next()
        assert isinstance(event, Failed)
        assert event.error.event_id == "mine"
        assert fake.connections[0].types().count("input_audio_buffer.append") == 1200
        fake.connections[0].connection.transport.abort()
        with pytest.raises(Unavailable):
            await wire.next()
        wire.put(Commit("late"))
        await delivering
