"""What held in every session of this run (§2, §4.12). Runs last."""

from __future__ import annotations

import pytest

from conformance import spec
from conformance.invariants import RULES
from conformance.target import Target

# What can be provoked without the suite's own model.
ALONE = {
    "session.ready",
    "session.updated",
    "session.ended",
    "session.error",
    "reply.started",
    "reply.audio",
    "transcript.agent.delta",
    "transcript.agent",
    "reply.done",
}
CALLED_BACK = pytest.mark.needs("callback-url")
KINDS = [
    pytest.param(kind, marks=() if kind in ALONE else CALLED_BACK) for kind in sorted(spec.EVENTS)
]


@pytest.mark.parametrize("rule", RULES)
def test_no_session_broke_a_rule(target: Target, rule: str) -> None:
    """§2, §2.2, §4.12: the rules of invariants.py, over all events of all sockets."""
    section, check = RULES[rule]
    assert target.ledger.sessions > 0
    broken = "\n".join(target.ledger.broken[rule])
    assert not broken, f"{section}: {check.__doc__}\n{broken}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_of_the_protocol_was_seen(target: Target, kind: str) -> None:
    """§2.2: an event that no session of a whole run had is one that the server does not send."""
    assert kind in target.ledger.seen
