"""The errors of the REST API, as a tree; each has its status and its code.

    RestError
    ├── InvalidRequest        400 invalid_request
    ├── TooSlow               408 invalid_request
    ├── TooLarge              413 invalid_request
    ├── MissingAuthorization  401 missing_authorization
    ├── UnknownKey            401 unauthorized
    ├── NotFound              404 not_found
    ├── MethodNotAllowed      405 method_not_allowed
    ├── Invalid               422 validation_error
    ├── NoRoom                429 too_many_tokens
    └── Broken                500 internal_error

Source: voice agent protocol, section 6.1; the codes of 408, 413 and 429 are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from antiphon_protocol.rest import ErrorBody, ErrorItem, Fault


class RestError(Exception):
    """Something a client is told in one envelope."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    text: ClassVar[str] = "Internal service error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.text)
        self.message = message or self.text
        self.faults: tuple[Fault, ...] = ()
        self.headers: dict[str, str] = {}

    def body(self, request_id: str) -> ErrorBody:
        """The envelope."""
        items = tuple(ErrorItem(fault.msg, _param(fault)) for fault in self.faults)
        return ErrorBody(
            code=self.code,
            message=self.message,
            param=items[0].param if items else None,
            request_id=request_id,
            errors=items or None,
            detail=self.faults or None,
        )


class InvalidRequest(RestError):
    """A body that cannot be read."""

    status, code, text = 400, "invalid_request", "The body is not valid JSON in UTF-8"


class TooSlow(RestError):
    """A body that did not come in time."""

    status, code, text = 408, "invalid_request", "The body did not arrive in time"


class TooLarge(RestError):
    """A body beyond the limit."""

    status, code, text = 413, "invalid_request", "The body is too large"


class MissingAuthorization(RestError):
    """No credential where one is needed."""

    status, code = 401, "missing_authorization"
    text = "Missing Authorization header"

    def __init__(self) -> None:
        super().__init__()
        self.headers["www-authenticate"] = "Bearer"


class UnknownKey(RestError):
    """A credential that is no key."""

    status, code, text = 401, "unauthorized", "Invalid API key"

    def __init__(self) -> None:
        super().__init__()
        self.headers["www-authenticate"] = "Bearer"


class NotFound(RestError):
    """No such path."""

    status, code, text = 404, "not_found", "Not found"


class MethodNotAllowed(RestError):
    """The path is there, the method is not."""

    status, code, text = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.headers["allow"] = ", ".join(sorted(allowed))


class Invalid(RestError):
    """Parameters or fields that cannot be."""

    status, code = 422, "validation_error"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        param = _param(faults[0])
        super().__init__(f"{param}: {faults[0].msg}" if param else faults[0].msg)
        self.faults = faults


class NoRoom(RestError):
    """As many tokens as are kept are waiting to be redeemed."""

    status, code = 429, "too_many_tokens"
    text = "Too many temporary tokens are waiting to be redeemed; try again later"

    def __init__(self, retry_seconds: int) -> None:
        super().__init__()
        self.headers["retry-after"] = str(retry_seconds)


class Broken(RestError):
    """Our fault; details are in the server's log, not in the answer."""


def _param(fault: Fault) -> str | None:
    return ".".join(fault.loc[1:]) or None
