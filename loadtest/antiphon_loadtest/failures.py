"""Errors by kind: few names, the same for all callers."""

from __future__ import annotations

from websockets.exceptions import InvalidStatus

from antiphon.errors import CannotConnect, ConnectionLost, SessionError, TimedOut


def kind_of(error: Exception, during: str) -> str:
    """What a failure is counted as; ``during`` is what the caller was doing."""
    if isinstance(error, SessionError):
        return f"{during}: {error.code}"
    if isinstance(error, CannotConnect):
        cause = error.__cause__
        if isinstance(cause, InvalidStatus):
            return f"{during}: HTTP {cause.response.status_code}"
        return f"{during}: unreachable"
    if isinstance(error, TimedOut):
        return f"{during}: no answer in time"
    if isinstance(error, ConnectionLost):
        code = "without a close" if error.close_code is None else f"with {error.close_code}"
        return f"{during}: closed {code}"
    return f"{during}: {type(error).__name__}"
