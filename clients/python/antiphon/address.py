"""Where a voice agent server answers: any address a person would type, as a socket's URL."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from antiphon.errors import CannotConnect

PATH = "/v1/ws"

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def socket_url(url: str, *, timeline: bool = False) -> str:
    """``url`` as the address of the socket (protocol section 1.1).

    Accepts http, https, ws and wss, with or without ``/v1/ws`` at the end; a query is kept.
    ``timeline`` asks the server for a ``turn.timeline`` event after each reply. Raises
    ``CannotConnect`` for what is not such an address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise CannotConnect(
            f"'{url}' is not the address of a server: write it like ws://127.0.0.1:8400/v1/ws"
        )
    path = parts.path.rstrip("/")
    if path in ("", "/v1"):
        path = PATH
    query = parse_qsl(parts.query, keep_blank_values=True)
    if timeline and ("timeline", "1") not in query:
        query.append(("timeline", "1"))
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, urlencode(query), ""))


def without_token(url: str) -> str:
    """A socket's address without the credential of its first handshake (``?token=``)."""
    parts = urlsplit(url)
    query = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] != "token"]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
