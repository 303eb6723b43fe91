"""What can go wrong in a call, as a tree.

    AntiphonError
    ├── CannotConnect           nothing answers at the address, or it is no voice server
    ├── ConnectionLost          the socket closed before the session ended
    ├── TimedOut                the server did not answer in time
    ├── FellBehind              events arrived and were not taken for too long
    ├── InvalidTool             a function cannot be offered to the model
    ├── UnusableAudio           a file that is not audio, empty, or needs a missing package
    ├── NoSoundDevice           no microphone or speaker can be opened
    └── SessionError            the server said so in ``session.error``; has ``code``, ``param``
        ├── Unauthorized            a missing, wrong or expired key
        ├── AgentNotFound           no stored agent of that id
        ├── InvalidSettings         a setting with a wrong shape or value
        ├── SessionNotFound         nothing to resume
        ├── SessionExpired          the session reached its longest duration
        ├── SessionForbidden        the session belongs to another account
        ├── ConcurrencyExceeded     the account has as many sessions as it may have
        ├── AtCapacity              the server has as many sessions as it can carry
        └── InternalError           the server's fault

Source of the codes: voice agent protocol, section 5.1.
"""

from __future__ import annotations

from antiphon_protocol import errors as wire
from antiphon_protocol.voice_agent import SessionError as SessionErrorEvent


class AntiphonError(Exception):
    """Anything this package raises on purpose."""


class CannotConnect(AntiphonError):
    """Nothing answers at the address, or what answers is no voice agent server."""


class ConnectionLost(AntiphonError):
    """The socket closed before the session ended.

    ``close_code`` is the WebSocket close code, None where the transport vanished without one.
    """

    def __init__(self, close_code: int | None, reason: str = "") -> None:
        super().__init__(
            f"the connection was lost (close code {close_code}{': ' if reason else ''}{reason})"
        )
        self.close_code = close_code
        self.reason = reason


class TimedOut(AntiphonError):
    """The server did not answer in time."""


class FellBehind(AntiphonError):
    """Events arrived and were not taken by ``async for`` for too long."""


class InvalidTool(AntiphonError):
    """A function that cannot be offered to the model; the text says what it lacks."""


class UnusableAudio(AntiphonError):
    """A file that is not audio, has no samples, or needs a package that is not installed."""


class NoSoundDevice(AntiphonError):
    """No microphone or speaker can be opened on this machine."""


class SessionError(AntiphonError):
    """The server refused something and closes, or has closed, the session.

    ``code`` is the stable code of section 5.1, ``param`` the path of the offending field.
    """

    def __init__(self, event: SessionErrorEvent) -> None:
        super().__init__(f"{event.code}: {event.message}")
        self.code = event.code
        self.message = event.message
        self.param = event.param
        self.session_id = event.session_id


class Unauthorized(SessionError):
    """A missing, wrong or expired key; all three look alike from outside."""


class AgentNotFound(SessionError):
    """No stored agent of that id."""


class InvalidSettings(SessionError):
    """A setting with a wrong shape or value; ``param`` says which."""


class SessionNotFound(SessionError):
    """Nothing to resume."""


class SessionExpired(SessionError):
    """The session reached its longest allowed duration."""


class SessionForbidden(SessionError):
    """The session belongs to another account."""


class ConcurrencyExceeded(SessionError):
    """The account has as many sessions as it may have."""


class AtCapacity(SessionError):
    """The server has as many sessions as it can carry."""


class InternalError(SessionError):
    """The server's fault; its log has the details."""


_BY_CODE: dict[str, type[SessionError]] = {
    wire.Unauthorized.code: Unauthorized,
    wire.AgentNotFound.code: AgentNotFound,
    wire.InvalidFormat.code: InvalidSettings,
    wire.InvalidValue.code: InvalidSettings,
    wire.InvalidConfig.code: InvalidSettings,
    wire.InvalidWebhook.code: InvalidSettings,
    wire.AgentIdNotFirst.code: InvalidSettings,
    wire.ImmutableField.code: InvalidSettings,
    wire.SessionNotFound.code: SessionNotFound,
    wire.SessionExpired.code: SessionExpired,
    wire.SessionForbidden.code: SessionForbidden,
    wire.ConcurrencyExceeded.code: ConcurrencyExceeded,
    wire.AtCapacity.code: AtCapacity,
    wire.InternalError.code: InternalError,
}

FATAL_CODES = frozenset(kind.code for kind in wire.Fatal.__subclasses__())
"""Codes after which the server closes the socket, whenever they come."""


def error_of(event: SessionErrorEvent) -> SessionError:
    """The exception for what the server said; an unknown code is a plain ``SessionError``."""
    return _BY_CODE.get(event.code, SessionError)(event)
