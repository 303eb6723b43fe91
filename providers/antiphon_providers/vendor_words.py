"""What vendors say when they refuse: their words, their codes, when to come back.

Each has a shape of its own (an object in ``error`` or ``detail``, a text, a list of FastAPI);
what they have in common is read here, so that an operator reads the vendor's own words.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import msgspec

MAX_WORDS = 500
_MAX_DEPTH = 4
_MAX_RETRY_S = 86_400.0

_INSIDE = ("error", "detail", "details", "errors")
_WORDS = ("message", "err_msg", "error_message", "msg", "reason", "description", "title")
_CODES = ("code", "err_code", "error_code", "status", "type", "category")


def without(secrets: tuple[str, ...], text: str) -> str:
    """The text with nothing of the secrets, neither as they are nor as a URL has them."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "[api key]")
    return text


def words_of(body: bytes) -> tuple[str, str | None]:
    """A vendor's words and its code in the body of an error; nothing is raised.

    JSON of the vendors' shapes, or plain text; a web page has no words.
    """
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        text = body[: MAX_WORDS * 4].decode(errors="replace").strip()
        return ("" if text.startswith("<") else text[:MAX_WORDS]), None
    return words_in(said)


def words_in(said: Any) -> tuple[str, str | None]:
    """The same of JSON that was read already; ``said`` may be anything."""
    return _within(said, 0)


def _within(said: Any, depth: int) -> tuple[str, str | None]:
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, str):
        return said.strip()[:MAX_WORDS], None
    if not isinstance(said, dict) or depth > _MAX_DEPTH:
        return "", None
    words = next((said[key] for key in _WORDS if isinstance(said.get(key), str)), "")
    code = next((said[key] for key in _CODES if _is_code(said.get(key))), None)
    for key in _INSIDE:
        inner_words, inner_code = _within(said.get(key), depth + 1)
        words = words or inner_words
        code = inner_code if code is None else code
    return words.strip()[:MAX_WORDS], None if code is None else str(code)[:MAX_WORDS]


def _is_code(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def retry_after(header: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait (RFC 9110, section 10.2.3): a number or
    a date; None without one or for anything else.
    """
    if not header:
        return None
    header = header.strip()
    try:
        if header.replace(".", "", 1).isascii() and header.replace(".", "", 1).isdigit():
            return min(float(header), _MAX_RETRY_S)
        # The vendor's date is wall time, and so is what it is compared with.
        seconds = parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _MAX_RETRY_S)
