"""Texts that are found wherever they went, in whatever form."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from urllib.parse import quote

LEAST_PIECE = 12
"""Characters of an encoded canary that are enough to be sure of it."""


class Canary:
    """A text that is nowhere by chance. Its ``name`` says what it is used as."""

    def __init__(self, name: str, text: str = "") -> None:
        self.name = name
        self.text = text or f"canary{secrets.token_hex(16)}"

    def __str__(self) -> str:
        return self.text

    def is_in(self, place: bytes) -> bool:
        """Whether it is there: as it is, or in base64, in hexadecimal or percent-encoded."""
        return any(form in place for form in _forms(self.text.encode()))


def _forms(plain: bytes) -> Iterator[bytes]:
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield quote(plain, safe="").encode()
    for shift in range(3):
        # Wherever it begins in a longer text; the characters at both ends depend on others.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            middle = encode(bytes(shift) + plain)[4 + 4 * (shift > 0) : -4]
            if len(middle) >= LEAST_PIECE:
                yield middle


class Canaries:
    """All of a run: ``secret`` ones may be nowhere but where they are used, ``said`` ones are
    what people and models say, which is kept, and nothing else is done with.
    """

    def __init__(self) -> None:
        self.secret: dict[str, Canary] = {}
        self.said: dict[str, Canary] = {}
        self.used: set[str] = set()
        """Those that were found where they should be."""

    def add_secret(self, name: str, text: str = "") -> Canary:
        """A new secret, or one that somebody else made."""
        self.secret[name] = Canary(name, text)
        return self.secret[name]

    def add_said(self, name: str) -> Canary:
        """Something new to say."""
        self.said[name] = Canary(name)
        return self.said[name]

    def use(self, canary: Canary, place: str | bytes) -> None:
        """Notes that it is where it should be. Raises ``AssertionError`` where it is not."""
        there = place.encode() if isinstance(place, str) else place
        assert canary.is_in(there), f"{canary.name} is not where it should be"
        self.used.add(canary.name)
