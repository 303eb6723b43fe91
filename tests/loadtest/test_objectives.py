"""What was promised and whether it was kept."""

import io

from antiphon.terminal import Terminal
from antiphon_loadtest.objectives import Objective, as_json, exit_code, show, stated


def test_an_objective_is_met_at_its_limit_and_missed_above_it() -> None:
    """And missed where it could not be measured."""
    assert Objective("x", 10, 10).met
    assert not Objective("x", 10, 10.1).met
    assert not Objective("x", 10, None).met


def test_what_was_not_stated_is_not_judged() -> None:
    """No limit, no objective; a limit of 0 is one."""
    assert stated("x", None, 5) == []
    assert stated("x", 0, 0) == [Objective("x", 0, 0)]


def test_one_missed_objective_fails_the_run() -> None:
    """Exit code 1."""
    assert exit_code([]) == 0
    assert exit_code([Objective("x", 1, 1)]) == 0
    assert exit_code([Objective("x", 1, 1), Objective("y", 1, None)]) == 1


def test_each_is_shown_with_what_was_measured() -> None:
    """Counts as counts, times with their unit."""
    out = io.StringIO()
    objectives = [
        Objective("response p50", 700, 612.4),
        Objective("lost", 0, 2, ""),
        Objective("overhead", 25, None),
    ]
    show(Terminal(out), objectives)
    assert out.getvalue().splitlines() == [
        "  met     response p50: 612 ms, at most 700 ms",
        "  missed  lost: 2, at most 0",
        "  missed  overhead: not measured, at most 25 ms",
    ]
    assert as_json(objectives)[0] == {
        "name": "response p50", "limit": 700, "measured": 612.4, "met": True,
    }  # fmt: skip
