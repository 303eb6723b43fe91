"""API keys as text: how one is made, read and digested.

``antiphon_`` + 16 hexadecimal digits + ``_`` + 43 characters of base64. The digits name the key
(``key_`` and the digits are its id, which may be shown); the rest are 32 random bytes. Only a
digest is kept, made with the server's pepper: who has the database has no key, and cannot try
guesses. Source: OWASP's password storage cheat sheet, on peppers.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_TEXT = re.compile(r"antiphon_([0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_ID_BYTES = 8
_SECRET_BYTES = 32
_MARK_BYTES = 8
_NO_PEPPER = "a digest needs a pepper"


def new_key() -> tuple[str, str]:
    """A new key's id, and the key itself."""
    name = secrets.token_hex(_ID_BYTES)
    return f"key_{name}", f"antiphon_{name}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def id_of(text: str) -> str | None:
    """The id of the key in a text; None when it has not the form of one."""
    found = _TEXT.fullmatch(text)
    return found and f"key_{found[1]}"


def digest(pepper: bytes, text: str) -> bytes:
    """What is kept of a key: the pepper's mark, and HMAC-SHA256 under the pepper.

    The mark tells a wrong key from one that was made under another pepper.
    """
    return mark(pepper) + _mac(pepper, text)


def mark(pepper: bytes) -> bytes:
    """Eight bytes that name a pepper and say nothing about it. Raises ``ValueError`` for none."""
    if not pepper:
        raise ValueError(_NO_PEPPER)
    return _mac(pepper, "antiphon pepper")[:_MARK_BYTES]


def mark_of(kept: bytes) -> bytes:
    """The mark of the pepper under which a digest was made."""
    return kept[:_MARK_BYTES]


def _mac(pepper: bytes, text: str) -> bytes:
    return hmac.new(pepper, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
