"""The tree of errors and the codes it answers to."""

import pytest

from antiphon.errors import (
    FATAL_CODES,
    AntiphonError,
    ConnectionLost,
    InternalError,
    InvalidSettings,
    SessionError,
    SessionExpired,
    error_of,
)
from antiphon_protocol import errors as wire
from antiphon_protocol.voice_agent import SessionError as SessionErrorEvent


def _wire_errors(kind: type[wire.ProtocolError] = wire.ProtocolError) -> set[str]:
    return {kind.code}.union(*(_wire_errors(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize("code", sorted(_wire_errors()))
def test_every_code_of_the_protocol_has_an_error(code: str) -> None:
    """error_of keeps what the server said, and only non-fatal audio complaints stay general."""
    error = error_of(SessionErrorEvent(code=code, message="No.", param="p", session_id="s"))
    assert isinstance(error, SessionError)
    assert (error.code, error.message, error.param, error.session_id) == (code, "No.", "p", "s")
    assert str(error) == f"{code}: No."
    general = code in {"invalid_audio", "audio_rate_violation"}
    assert (type(error) is SessionError) == general


def test_an_unknown_code_is_a_plain_session_error() -> None:
    """A newer server's codes are not lost."""
    assert type(error_of(SessionErrorEvent(code="new", message=""))) is SessionError


def test_fatal_codes_are_those_after_which_the_server_closes() -> None:
    """They are read off the protocol's own tree."""
    assert "session_expired" in FATAL_CODES
    assert "internal_error" in FATAL_CODES
    assert "immutable_field" not in FATAL_CODES


def test_all_errors_are_caught_by_one_name() -> None:
    """AntiphonError is the root."""
    for kind in (ConnectionLost, SessionExpired, InternalError, InvalidSettings):
        assert issubclass(kind, AntiphonError)


def test_a_lost_connection_says_its_code_and_reason() -> None:
    """The reason is added where there is one."""
    assert "close code 1011: tired" in str(ConnectionLost(1011, "tired"))
    assert str(ConnectionLost(None)).endswith("(close code None)")
