"""Whole calls through the real edge, in virtual time: 400 of them, or as many as
``SIMULATED_CALLS`` says. ``scripts/simulate SEED`` tells one in full.
"""

from __future__ import annotations

import os
import re
from typing import get_args

import pytest

from simulation import plan as p
from simulation.call import Outcome, simulate
from simulation.campaign import make_calls
from simulation.plans import plan_of
from simulation.report import told

CALLS = int(os.environ.get("SIMULATED_CALLS", "400"))
ENOUGH = 3_000
"""Calls in which everything must have happened at least once."""
EVERYTHING = {
    *(f"drop {how} in {when}" for how in get_args(p.How) for when in get_args(p.Moment)),
    *(f"resume by {credential}" for credential in get_args(p.Credential)),
    *(f"ended {reason}" for reason in ("client_ended", "client_left", "expired", "failed")),
    *(f"close {code}" for code in (1000, 1008, 1011)),
    *(f"error session_{what}" for what in ("not_found", "expired", "forbidden")),
    *("error unauthorized", "error internal_error", "error invalid_audio", "error immutable_field"),
    *("drop reset in resume", "told again", "reader stalls", "resume tried again"),
    *("reply interrupted", "reply failed", "tool answered late", "heard 1 words off"),
}
_ID = re.compile(r"(?:sess|resp|msg)_[0-9a-f]{32}")


@pytest.mark.timeout(3600)
def test_whatever_happens_in_a_call_it_keeps_the_rules() -> None:
    """No transcript line is lost or doubled, every reply that starts is done once, one reply
    and one socket at a time, and nothing is left behind.
    """
    summary = make_calls(range(CALLS))
    assert not summary.failures, "\n\n".join(summary.failures)
    assert summary.calls == CALLS
    unseen = {what for what in EVERYTHING if not summary.counts[what]}
    assert CALLS < ENOUGH or unseen == set()


@pytest.mark.parametrize("seed", range(0, 200, 10))
def test_a_seed_decides_everything(seed: int) -> None:
    """The same call again is the same, event for event and to the microsecond."""
    assert _without_ids(simulate(plan_of(seed))) == _without_ids(simulate(plan_of(seed)))


def _without_ids(outcome: Outcome) -> str:
    """The whole report, with names in the place of ids, which are drawn anew each time."""
    names: dict[str, str] = {}
    return _ID.sub(
        lambda found: names.setdefault(found.group(), f"id_{len(names)}"), told(outcome, last=None)
    )


def test_a_report_tells_the_seed_the_plan_and_the_last_events() -> None:
    """All that is needed to look into a failure, and how to see the rest."""
    outcome = simulate(p.Plan(1, script=(p.Say(2),)))
    outcome.broken.append("a rule was broken")
    report = told(outcome, last=15)
    assert "seed 1" in report
    assert '"script"' in report
    assert "session.ended" in report
    assert "a rule was broken" in report
    assert report.endswith("scripts/simulate 1")
