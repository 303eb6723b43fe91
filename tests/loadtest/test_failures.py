"""Errors by kind."""

from __future__ import annotations

from antiphon.errors import CannotConnect, ConnectionLost, FellBehind, TimedOut, error_of
from antiphon_loadtest.failures import kind_of
from antiphon_protocol.voice_agent import SessionError


def test_each_failure_has_a_kind_without_the_details_of_one_call() -> None:
    """The code, the close code, or the type."""
    full = error_of(SessionError(code="at_capacity", message="Full, sess_17."))
    assert kind_of(full, "connecting") == "connecting: at_capacity"
    assert kind_of(CannotConnect("port 17"), "connecting") == "connecting: unreachable"
    assert kind_of(TimedOut("3 s"), "connecting") == "connecting: no answer in time"
    assert kind_of(ConnectionLost(1011), "in a call") == "in a call: closed with 1011"
    assert kind_of(ConnectionLost(None), "in a call") == "in a call: closed without a close"
    assert kind_of(FellBehind("x"), "in a call") == "in a call: FellBehind"
