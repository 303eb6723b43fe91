"""What the options of all adapters have in common: a key, an address, and patience.

An adapter's options are ``VendorOptions`` with what is its vendor's own. The types below are for
options that several adapters have, so that they are checked and described alike.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
import msgspec
from msgspec import Meta, Struct

from antiphon_providers.errors import Refused
from antiphon_providers.options import json_object

SOCKET_SCHEMES = ("ws", "wss", "http", "https")
HTTP_SCHEMES = ("http", "https")

_SOCKET_SCHEME = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_KEY_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_SHOWN = ("model", "voice", "base_url")

BeginMs = Annotated[int, Meta(ge=1, description="Milliseconds until a session begins.")]
FinalMs = Annotated[
    int, Meta(ge=1, description="Milliseconds from a flush to its words, known or not.")
]
FirstSoundMs = Annotated[int, Meta(ge=1, description="Milliseconds until a sentence sounds.")]
SoundProgressMs = Annotated[
    int, Meta(ge=1, description="Milliseconds that the sound may pause once begun.")
]
FirstWordMs = Annotated[
    int, Meta(ge=1, description="Milliseconds from asking to the first words or tool call.")
]
ReplyProgressMs = Annotated[
    int, Meta(ge=1, description="Milliseconds that a reply may pause once begun.")
]
ExtraQuery = Annotated[
    str, Meta(description="JSON object of more parameters of the connection, as they are.")
]
ExtraBody = Annotated[
    str, Meta(description="JSON object merged into each request; a null takes a field out.")
]
Voice = Annotated[
    str, Meta(min_length=1, description="The vendor's voice for names that have none.")
]
Voices = Annotated[
    str, Meta(description="JSON object: the name of a voice to the id of the vendor's voice.")
]


class VendorOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a vendor is, and as whom; the key is in no ``repr``.

    Raises ``ValueError``, without quoting either, for a key or an address that cannot be.
    """

    schemes: ClassVar[tuple[str, ...]] = SOCKET_SCHEMES

    api_key: str = ""
    base_url: str = ""
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000

    def __post_init__(self) -> None:
        check_key(self.api_key)
        url_of(self.base_url, self.schemes)

    def __repr__(self) -> str:
        shown = "".join(f"{name}={value!r}, " for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown}...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in _SHOWN if hasattr(self, name)]


# --- keys --------------------------------------------------------------------------------


def check_key(api_key: str) -> None:
    """Raises ``ValueError`` for a key that is no header value: the library that refuses it would
    quote it.
    """
    if not _KEY_CHARACTERS.issuperset(api_key):
        raise ValueError("api_key has characters that a key cannot have")


def key_at(api_key: str, base_url: str, default: str, variable: str) -> str:
    """The key of the options, or that of the environment at the vendor's own address only, so
    that it never goes elsewhere. Raises ``Refused`` for a variable that holds no key.
    """
    if api_key or base_url.rstrip("/") != default:
        return api_key
    key = os.environ.get(variable, "").strip()
    if not _KEY_CHARACTERS.issuperset(key):
        raise Refused(f"{variable} has characters that a key cannot have")
    return key


# --- addresses ---------------------------------------------------------------------------


def url_of(base_url: str, schemes: tuple[str, ...] = HTTP_SCHEMES) -> httpx.URL:
    """The URL, without user and password. Raises ``ValueError`` for any other, unquoted."""
    try:
        # Each of the two accepts what the other does not.
        urlsplit(base_url)
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):
        raise ValueError("base_url is no URL") from None
    if url.scheme not in schemes or not url.host or url.userinfo:
        *most, last = schemes
        kinds = f"{', '.join(most)} or {last}"
        raise ValueError(f"base_url must be a URL of {kinds}, without user and password")
    return url


def socket_url(base_url: str, path: str, query: Iterable[tuple[str, str]] = ()) -> str:
    """An address as WebSockets have it: this path behind its own, this query behind its own."""
    parts = urlsplit(base_url)
    both = "&".join(part for part in (parts.query, urlencode(list(query))) if part)
    where = (_SOCKET_SCHEME[parts.scheme], parts.netloc, parts.path.rstrip("/") + path, both, "")
    return urlunsplit(where)


# --- texts that are JSON -----------------------------------------------------------------


def parameter(value: Any) -> str:
    """A value of JSON as a query has it: texts as they are."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def voices_by_name(text: str) -> dict[str, str]:
    """The vendor's voice for each name of ours. Raises ``ValueError``."""
    named = json_object(text)
    if not all(isinstance(voice, str) for voice in named.values()):
        raise ValueError("voices must map names to texts")
    return named
