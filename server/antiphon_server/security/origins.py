"""Origins of web pages, as an operator writes them and as browsers do."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginFault(Exception):
    """What is no origin; the message says what one looks like."""


def normal_origin(text: str) -> str:
    """An origin as browsers write it: lower case, without the scheme's own port and without a
    slash (RFC 6454, section 6.1). Raises ``OriginFault``.
    """
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        raise OriginFault(_advice(text)) from None
    host = parts.netloc.removesuffix("" if port is None else f":{port}").removesuffix(":")
    is_whole = _SCHEME.fullmatch(parts.scheme) and _HOST.fullmatch(host)
    if not is_whole or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise OriginFault(_advice(text))
    shown = "" if port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _advice(text: str) -> str:
    return (
        f"{text!r} is no origin: write scheme, host and port as the browser shows them, such as "
        "https://app.example.com or http://localhost:3000 (a name with other letters as xn--…)"
    )
