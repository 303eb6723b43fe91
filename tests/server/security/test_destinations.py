"""What may be connected to, and which addresses names have."""

import asyncio
import socket
import threading

import pytest

from antiphon_server.security.destinations import (
    RESOLVE_SECONDS,
    Destinations,
    SystemResolver,
)
from antiphon_server.security.outbound_errors import OutboundTooSlow, Unresolved, UnsafeUrl
from antiphon_server.security.urls import read
from outbound_peer import Names
from virtual_time import in_virtual_time

PUBLIC = ["93.184.215.14", "2606:4700::1111"]


def destinations(*allow: str, **table: list[list[str]]) -> Destinations:
    """With these exceptions; names of the table are below ``.example``."""
    return Destinations(allow, Names({f"{name}.example": to for name, to in table.items()}))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a.example/", "must begin with https"),
        ("https://a.example:80/", "port 80 is not allowed: it must be 443 or 8443"),
        ("https://a.example:22/", "port 22"),
        ("https://127.0.0.1/", "127.0.0.1 is not a public name"),
        ("https://8.8.8.8/", "8.8.8.8 is not a public name"),
        ("https://[2606:4700::1111]/", "is not a public name"),
        ("https://0x08080808/", "is not a public name"),
        ("https://intranet/", "intranet is not a public name"),
        ("https://localhost/", "is not a public name"),
        ("https://a.localhost/", "is not a public name"),
        ("https://printer.local/", "is not a public name"),
        ("https://metadata.google.internal/", "is not a public name"),
        ("https://router.home.arpa/", "is not a public name"),
        ("https://hidden.onion/", "is not a public name"),
        (f"https://a--svc-{'0f' * 16}.modal.run/", "is not allowed"),
    ],
)
def test_what_is_not_a_public_web_server_is_refused(url: str, reason: str) -> None:
    """Before any name is looked up, in words for whoever wrote the URL."""
    with pytest.raises(UnsafeUrl, match=reason):
        destinations().check(read(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/",
        "https://a.example:8443/",
        "https://internal.example/",
        f"https://a--svc-{'0f' * 15}.modal.run/",
    ],
)
def test_a_public_web_server_may_be_asked(url: str) -> None:
    """Over HTTPS at a web port."""
    destinations().check(read(url))


def test_an_exception_holds_for_one_host_and_one_port() -> None:
    """Exactly: no other port, no name below it, no other way to write its address."""
    to = destinations("10.0.0.5:8000", "LLM:8000", "[::1]:9000", "bücher.internal:443")
    for url in (
        "http://10.0.0.5:8000/",
        "https://10.0.0.5:8000/",
        "http://llm:8000/",
        "http://[0::1]:9000/",
        "https://xn--bcher-kva.internal/",
    ):
        to.check(read(url))
    for url in (
        "http://10.0.0.5:8001/",
        "http://10.0.0.5/",
        "http://10.5:8000/",
        "http://0xa000005:8000/",
        "http://[::ffff:10.0.0.5]:8000/",
        "http://a.llm:8000/",
        "http://llm.example:8000/",
        "http://[::1]:8000/",
        "http://bücher.internal/",
    ):
        with pytest.raises(UnsafeUrl):
            to.check(read(url))


@pytest.mark.parametrize(
    "entry",
    ["", "llm", "llm:", ":8000", "http://llm:8000", "llm:8000/v1", "*:8000", "llm:0", "a b:1"],
)
def test_an_exception_that_cannot_be_is_a_mistake(entry: str) -> None:
    """It would allow nothing, or not what was meant."""
    with pytest.raises(ValueError, match="is not a host and a port"):
        destinations(entry)


async def test_a_name_has_its_public_addresses_in_order_and_once() -> None:
    """As the resolver prefers them."""
    to = destinations(a=[[*PUBLIC, PUBLIC[0]]])
    assert await to.addresses("a.example", 443) == PUBLIC


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:127.0.0.1", "fe80::1%2", "not an address"]
)
async def test_one_address_that_is_not_public_spoils_all(inside: str) -> None:
    """The client is told no address, only that there is no public one."""
    to = destinations(a=[[*PUBLIC, inside]])
    with pytest.raises(UnsafeUrl) as refused:
        await to.addresses("a.example", 443)
    assert str(refused.value) == "URL host a.example does not resolve to a public address"


async def test_an_exception_may_have_any_address() -> None:
    """That is what it is for; the same name at another port may not."""
    to = destinations("a.example:8000", a=[["10.0.0.5"]])
    assert await to.addresses("a.example", 8000) == ["10.0.0.5"]
    with pytest.raises(UnsafeUrl):
        await to.addresses("a.example", 443)


@pytest.mark.parametrize("table", [{}, {"a": [[]]}])
async def test_a_name_without_addresses_does_not_resolve(table: dict[str, list[list[str]]]) -> None:
    """Whether the resolver says so or gives none."""
    with pytest.raises(Unresolved, match=r"^URL host a\.example does not resolve$"):
        await destinations(**table).addresses("a.example", 443)


@in_virtual_time
async def test_a_name_server_that_is_silent_is_not_waited_for() -> None:
    """Longer than a call has patience."""

    async def silent(host: str, port: int) -> list[str]:
        del host, port
        await asyncio.Event().wait()
        return []

    loop = asyncio.get_running_loop()
    with pytest.raises(OutboundTooSlow, match="does not resolve in time"):
        await Destinations((), silent).addresses("a.example", 443)
    assert loop.time() == RESOLVE_SECONDS


async def test_the_system_resolves_on_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop and its threads stay free for calls."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, type: int) -> list[object]:  # noqa: A002
        asked.append(threading.current_thread().name)
        return [
            (socket.AF_INET, type, 6, "", ("192.0.2.1", port)),
            (socket.AF_INET6, type, 6, "", (f"2001:db8::{len(host)}", port, 0, 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = SystemResolver()
    assert await resolver("abc", 443) == ["192.0.2.1", "2001:db8::3"]
    assert asked[0].startswith("outbound-names")
    resolver.close()
    with pytest.raises(OSError, match="stopping"):
        await resolver("abc", 443)
