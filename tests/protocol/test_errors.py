"""The tree of errors."""

from __future__ import annotations

import pytest

from antiphon_protocol import errors
from antiphon_protocol.errors import CODES, ERRORS, ProtocolError

CLOSE_CODES = {
    errors.Unauthorized(): 1008,
    errors.AgentNotFound(): 1008,
    errors.SessionNotFound(): 1008,
    errors.SessionExpired(): 1008,
    errors.SessionForbidden(): 1008,
    errors.ConcurrencyExceeded(): 1008,
    errors.AtCapacity(): 1008,
    errors.InternalError(): 1011,
    errors.InvalidFormat("no"): None,
    errors.InvalidAudio(): None,
    errors.InvalidValue("no"): None,
    errors.InvalidConfig("no"): None,
    errors.InvalidWebhook("no"): None,
    errors.ImmutableField("greeting"): None,
    errors.AgentIdNotFirst(): None,
    errors.AudioTooFast("no"): None,
}


def test_the_codes_are_those_of_the_hosted_schema() -> None:
    """Third-party clients drop an error whose code they do not know (section 5.1)."""
    assert set(CODES) == {
        "unauthorized", "agent_not_found", "agent_id_not_first", "invalid_value",
        "invalid_format", "invalid_audio", "immutable_field", "invalid_config",
        "invalid_webhook", "audio_rate_violation", "at_capacity", "concurrency_exceeded",
        "internal_error", "session_not_found", "session_forbidden", "session_expired",
    }  # fmt: skip


def test_each_code_belongs_to_one_class() -> None:
    """A code tells which class it was."""
    assert len(CODES) == len(set(CODES)) == len(ERRORS)
    assert {type(error) for error in CLOSE_CODES} == set(ERRORS)


@pytest.mark.parametrize(("error", "close_code"), CLOSE_CODES.items(), ids=lambda it: str(it)[:20])
def test_an_error_closes_the_socket_as_section_5_says(
    error: ProtocolError, close_code: int | None
) -> None:
    """None means that the socket stays open."""
    assert error.close_code == close_code


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_only_bad_values_turn_fatal_on_the_first_update(kind: type[ProtocolError]) -> None:
    """Shape errors leave the socket open for another try (section 4.2)."""
    error = kind.__new__(kind)
    before = error.close_code
    turns_fatal = {errors.InvalidValue, errors.InvalidConfig, errors.InvalidWebhook}
    assert error.on_first_update().close_code == (1008 if kind in turns_fatal else before)


def test_turning_fatal_does_not_change_other_errors_of_the_class() -> None:
    """The close code belongs to the one error that was raised."""
    errors.InvalidValue("no").on_first_update()
    assert errors.InvalidValue("no").close_code is None


@pytest.mark.parametrize(
    ("error", "message", "param"),
    [
        (errors.Unauthorized(), "Authentication failed", None),
        (errors.AgentNotFound(), "Agent not found", "agent_id"),
        (
            errors.AgentIdNotFirst(),
            "agent_id can only be set on the first session.update",
            "agent_id",
        ),
        (errors.InvalidAudio(), "Invalid audio data", None),
        (
            errors.ImmutableField("output.voice"),
            "'output.voice' cannot be changed after the first session.update",
            "output.voice",
        ),
        (errors.InternalError(), "Internal service error", None),
        (errors.SessionNotFound(), "Session not found or grace window has expired", None),
    ],
    ids=lambda it: str(it)[:20],
)
def test_known_texts_are_exact(error: ProtocolError, message: str, param: str | None) -> None:
    """Section 5.1 gives these word for word."""
    assert (error.message, error.param) == (message, param)
    assert str(error) == message
