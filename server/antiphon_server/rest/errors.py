"""The errors of the REST API, as a tree; each has its status and its code.

    RestError
    ├── InvalidRequest        400 invalid_request
    ├── IdempotencyKeyInvalid 400 idempotency_key_invalid
    ├── TooSlow               408 invalid_request
    ├── TooLarge              413 invalid_request
    ├── MissingAuthorization  401 missing_authorization
    ├── UnknownKey            401 unauthorized
    ├── Forbidden             403 forbidden
    ├── NotFound              404 not_found
    ├── NoSuchAgent           404 agent_not_found
    ├── NoSuchCall            404 call_not_found
    ├── NoSuchNumber          404 phone_number_not_found
    ├── NoSuchSession         404 session_not_found
    ├── NoSuchSubscription    404 webhook_subscription_not_found
    ├── NoSuchStage           404 stage_not_found
    ├── NoSuchKey             404 key_not_found
    ├── MethodNotAllowed      405 method_not_allowed
    ├── IdempotencyInProgress 409 idempotency_in_progress
    ├── AlreadySubscribed     409 webhook_subscription_already_exists
    ├── KeysDoNotFit          409 keys_do_not_fit
    ├── Invalid               422 validation_error
    ├── IdempotencyKeyReuse   422 idempotency_key_reuse
    ├── ProviderRefused       422 provider_refused
    ├── NoRoom                429 too_many_tokens
    ├── TooManyAttempts       429 too_many_attempts
    ├── Broken                500 internal_error
    ├── ProviderAway          502 provider_unavailable
    └── Unavailable           503 internal_error

Source: voice agent protocol, section 6.1; the codes of 408, 413, 429, 502 and of what it does not
have (stages, providers) are ours.
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


class Forbidden(RestError):
    """A key that is good, but not for this, or not from there."""

    status, code, text = 403, "forbidden", "This key may not do that"


class NotFound(RestError):
    """No such path."""

    status, code, text = 404, "not_found", "Not found"


class NoSuchKey(RestError):
    """No key of that id."""

    status, code, text = 404, "key_not_found", "Key not found"


class KeysDoNotFit(RestError):
    """The server would refuse a new key as it refuses those that there are."""

    status, code = 409, "keys_do_not_fit"


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


class NoSuchAgent(RestError):
    """The account has no such agent; nobody is told whether another one has."""

    status, code, text = 404, "agent_not_found", "Agent not found"


class NoSuchCall(RestError):
    """There are no telephone calls here."""

    status, code, text = 404, "call_not_found", "Call not found"


class NoSuchNumber(RestError):
    """There are no telephone numbers here."""

    status, code, text = 404, "phone_number_not_found", "Phone number not found"


class NoSuchSession(RestError):
    """The account has no such session; nobody is told whether another one has."""

    status, code, text = 404, "session_not_found", "Session not found"


class NoSuchSubscription(RestError):
    """The account has no such webhook subscription; nobody is told whether another one has."""

    status, code = 404, "webhook_subscription_not_found"
    text = "Webhook subscription not found"


class NoSuchStage(RestError):
    """No stage of a call has this name, or nobody serves it here."""

    status, code, text = 404, "stage_not_found", "Stage not found"


class AlreadySubscribed(RestError):
    """The account has a webhook subscription of the same URL and agent."""

    status, code = 409, "webhook_subscription_already_exists"
    text = "There is a webhook subscription of this URL and agent; change that one"


class IdempotencyKeyInvalid(RestError):
    """An ``Idempotency-Key`` that cannot be."""

    status, code = 400, "idempotency_key_invalid"
    text = "Idempotency-Key must be one text of 1 to 255 printable ASCII characters"


class IdempotencyInProgress(RestError):
    """The same request is being carried out."""

    status, code = 409, "idempotency_in_progress"
    text = "A request with this Idempotency-Key is being carried out; try again later"

    def __init__(self) -> None:
        super().__init__()
        self.headers["retry-after"] = "1"


class IdempotencyKeyReuse(RestError):
    """The ``Idempotency-Key`` of another request."""

    status, code = 422, "idempotency_key_reuse"
    text = "This Idempotency-Key was used with another body"


class NoRoom(RestError):
    """As many tokens as are kept are waiting to be redeemed."""

    status, code = 429, "too_many_tokens"
    text = "Too many temporary tokens are waiting to be redeemed; try again later"

    def __init__(self, retry_seconds: int) -> None:
        super().__init__()
        self.headers["retry-after"] = str(retry_seconds)


class TooManyAttempts(RestError):
    """Wrong keys, one after another."""

    status, code, text = 429, "too_many_attempts", "Too many wrong keys; try again later"

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(f"Too many wrong keys; try again in {retry_seconds} s")
        self.headers["retry-after"] = str(retry_seconds)


class ProviderRefused(RestError):
    """A provider that cannot be made, or does not accept its key or its model."""

    status, code, text = 422, "provider_refused", "The provider cannot be used"


class ProviderAway(RestError):
    """A provider that does not answer now; the same request may be sent again."""

    status, code, text = 502, "provider_unavailable", "The provider does not answer"


class Broken(RestError):
    """Our fault; details are in the server's log, not in the answer."""


class Unavailable(RestError):
    """The database cannot be used now; the same request may be sent again."""

    status, text = 503, "The server cannot reach its database now; try again"

    def __init__(self) -> None:
        super().__init__()
        self.headers["retry-after"] = "1"


def _param(fault: Fault) -> str | None:
    """The place as clients write it: ``tools[0].http.url``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault.loc[1:])
    return "".join(parts).removeprefix(".") or None
