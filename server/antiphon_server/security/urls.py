"""Strict reading of URLs that the server is to ask for others.

Where two parsers disagree about a URL, one of them checks and the other connects. So only
shapes are read about which parsers agree, and what is returned is the parse of the very
library that makes the request, compared with what is written.

Source: reliability threat "server-side request forgery"; voice agent protocol, section 3.3.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address

import httpx
from msgspec import Struct

from antiphon_server.security.outbound_errors import UnsafeUrl

MOST_CHARACTERS = 2048
"""Of a URL that somebody stores (protocol, section 3.3)."""
MOST_REQUEST_CHARACTERS = 32_768
"""Of a URL that is asked: encoded, and with a tool's arguments added to it."""

_SHAPE = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[^\[\]:/?#@%]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:[/?].*)?)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MOST_OF_NAME = 253
_LAST_PORT = 65_535
_DEFAULT_PORTS = {"http": 80, "https": 443}


class WebUrl(Struct, frozen=True):
    """A URL that was read. ``host`` is a lower-case ASCII name, or an address without brackets."""

    scheme: str
    host: str
    port: int
    is_address: bool
    target: bytes
    """Path and query, as they go out."""

    def __repr__(self) -> str:
        """Without path and query, which may hold a key."""
        return f"WebUrl({self.scheme}://{self.host}:{self.port})"


def origin(url: str) -> str:
    """Where a URL leads, good or bad, for logs: without what may hold a secret."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest)[0].rpartition('@')[2]}"[:_MOST_OF_NAME]


def read(url: str, most_characters: int = MOST_CHARACTERS) -> WebUrl:
    """The URL's parts. Raises ``UnsafeUrl`` for whatever is not plainly an http(s) URL."""
    if len(url) > most_characters:
        raise UnsafeUrl(f"URL is longer than {most_characters} characters")
    if "\\" in url or not url.isprintable() or any(map(str.isspace, url)):
        raise UnsafeUrl("URL has a character that a URL cannot have")
    if "#" in url:
        raise UnsafeUrl("URL must not have a fragment, for it would never be sent")
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise UnsafeUrl("URL must be https://host/path, without user name and password")
    if len(shape["host"]) > _MOST_OF_NAME:
        raise UnsafeUrl("URL host is not a valid name")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise UnsafeUrl("URL host is not a valid name") from None
    host = _host(shape, parsed)
    is_address = _is_address(host)
    if not is_address:
        _check_name(host)
    return WebUrl(parsed.scheme, host, _port(shape, parsed), is_address, parsed.raw_path)


def _host(shape: re.Match[str], parsed: httpx.URL) -> str:
    """The host that the library understood, which is the one that is written."""
    written, host = shape["host"].lower(), parsed.raw_host.decode("ascii").lower()
    same = not written.isascii() or written in {host, f"[{host}]"}
    if not same or parsed.userinfo:
        raise UnsafeUrl("URL cannot be understood in one way only")
    return IPv6Address(host).compressed if ":" in host else host


def _port(shape: re.Match[str], parsed: httpx.URL) -> int:
    written = int(shape["port"] or _DEFAULT_PORTS[parsed.scheme])
    if not 0 < written <= _LAST_PORT:
        raise UnsafeUrl("URL port is not a port")
    if written != (parsed.port or _DEFAULT_PORTS[parsed.scheme]):
        raise UnsafeUrl("URL cannot be understood in one way only")
    return written


def _is_address(host: str) -> bool:
    """Whether it is an address in any of the forms that resolvers take for one.

    Those are names whose last label is a number (WHATWG URL standard, "ends in a number").
    """
    return ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def _check_name(host: str) -> None:
    if len(host) > _MOST_OF_NAME or not all(map(_LABEL.fullmatch, host.split("."))):
        raise UnsafeUrl("URL host is not a valid name")
