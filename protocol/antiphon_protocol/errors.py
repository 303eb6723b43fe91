"""The errors the wire knows, as a tree; each has its code, its close code and its text.

    ProtocolError
    ├── InvalidFormat       invalid_format     stays open
    ├── InvalidAudio        invalid_audio      stays open
    ├── InvalidValue        invalid_value      stays open; fatal on the first update
    ├── InvalidConfig       invalid_config     stays open; fatal on the first update
    ├── InvalidWebhook      invalid_webhook    stays open; fatal on the first update
    ├── ImmutableField      immutable_field    stays open
    ├── AgentIdNotFirst     agent_id_not_first stays open
    ├── AudioTooFast        audio_rate_violation stays open
    └── Fatal
        ├── Unauthorized        unauthorized         1008
        ├── AgentNotFound       agent_not_found      1008
        ├── SessionNotFound     session_not_found    1008
        ├── SessionExpired      session_expired      1008
        ├── SessionForbidden    session_forbidden    1008
        ├── ConcurrencyExceeded concurrency_exceeded 1008
        ├── AtCapacity          at_capacity          1008
        └── InternalError       internal_error       1011

Source: voice agent protocol, section 5.
"""

from __future__ import annotations

from typing import ClassVar

POLICY_VIOLATION = 1008
INTERNAL = 1011
NORMAL = 1000


class ProtocolError(Exception):
    """Something a client is told in one ``session.error``.

    ``close_code`` is None where the socket stays open.
    """

    code: ClassVar[str] = "internal_error"
    close_code: int | None = None

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def on_first_update(self) -> ProtocolError:
        """This error as it counts when no session has started yet (section 4.2)."""
        return self


class InvalidFormat(ProtocolError):
    """A frame that is not JSON, an unknown type, a missing or mistyped field."""

    code = "invalid_format"


class InvalidAudio(ProtocolError):
    """Bytes that cannot be read as audio."""

    code = "invalid_audio"

    def __init__(self, message: str = "Invalid audio data", param: str | None = None) -> None:
        super().__init__(message, param)


class _FatalOnFirstUpdate(ProtocolError):
    def on_first_update(self) -> ProtocolError:
        self.close_code = POLICY_VIOLATION
        return self


class InvalidValue(_FatalOnFirstUpdate):
    """A field of the right shape with a value that cannot be."""

    code = "invalid_value"


class InvalidConfig(_FatalOnFirstUpdate):
    """Fields that contradict each other."""

    code = "invalid_config"


class InvalidWebhook(_FatalOnFirstUpdate):
    """An inline webhook that cannot be used."""

    code = "invalid_webhook"


class ImmutableField(ProtocolError):
    """A field that froze at the first accepted update."""

    code = "immutable_field"

    def __init__(self, path: str) -> None:
        super().__init__(f"'{path}' cannot be changed after the first session.update", path)


class AgentIdNotFirst(ProtocolError):
    """``agent_id`` in a later update."""

    code = "agent_id_not_first"

    def __init__(self) -> None:
        super().__init__("agent_id can only be set on the first session.update", "agent_id")


class AudioTooFast(ProtocolError):
    """Microphone audio faster than real time for too long; the excess was dropped."""

    code = "audio_rate_violation"


class Fatal(ProtocolError):
    """The socket closes after the error."""

    close_code = POLICY_VIOLATION
    text: ClassVar[str] = ""

    def __init__(self, message: str | None = None, param: str | None = None) -> None:
        super().__init__(self.text if message is None else message, param)


class Unauthorized(Fatal):
    """A missing, wrong or expired credential; all three look alike from outside."""

    code = "unauthorized"
    text = "Authentication failed"


class AgentNotFound(Fatal):
    """No stored agent of that id."""

    code = "agent_not_found"
    text = "Agent not found"

    def __init__(self) -> None:
        super().__init__(param="agent_id")


class SessionNotFound(Fatal):
    """Nothing to resume."""

    code = "session_not_found"
    text = "Session not found or grace window has expired"


class SessionExpired(Fatal):
    """The session reached its longest allowed duration."""

    code = "session_expired"
    text = "Session reached its maximum duration"


class SessionForbidden(Fatal):
    """The session belongs to another account."""

    code = "session_forbidden"
    text = "Session belongs to another account"


class ConcurrencyExceeded(Fatal):
    """The account has as many sessions as it may have."""

    code = "concurrency_exceeded"
    text = "Too many concurrent sessions for this account; end one or try again later"


class AtCapacity(Fatal):
    """The server has as many sessions as it can carry."""

    code = "at_capacity"
    text = "The server is at capacity; try again later"


class InternalError(Fatal):
    """Our fault; details are in the server's log, not on the wire."""

    code = "internal_error"
    close_code = INTERNAL
    text = "Internal service error"


def _with_a_code(kind: type[ProtocolError]) -> tuple[type[ProtocolError], ...]:
    own = (kind,) if "code" in vars(kind) else ()
    return own + tuple(leaf for child in kind.__subclasses__() for leaf in _with_a_code(child))


ERRORS = tuple(sorted(_with_a_code(ProtocolError)[1:], key=lambda kind: kind.code))
"""Every error of the tree, by code, without the base class, which has no meaning of its own."""

CODES = tuple(kind.code for kind in ERRORS)
"""Every value of ``session.error.code``: third-party clients drop an error with another one."""
