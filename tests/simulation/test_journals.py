"""Journals of simulated calls: they replay, and tell when the conversation has changed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_server.call import journal
from antiphon_server.call.journal import Difference
from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import Listening
from simulation.call import simulate
from simulation.plans import plan_of

CALLS = 60


def journals() -> list[list[bytes]]:
    """Those of some calls, with drops and faults."""
    plans = [replace(plan_of(seed), journal=True) for seed in range(CALLS)]
    return [simulate(plan).journal for plan in plans]


def replayed(lines: list[bytes]) -> Difference | int:
    """What a replay finds."""
    return journal.replay(journal.read(lines))


def test_the_journal_of_every_call_replays_without_a_difference() -> None:
    """However it ended: every step is taken again as it was."""
    for lines in journals():
        assert lines
        assert replayed(lines) == len(lines)


def test_a_rule_that_has_changed_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step at which the conversation would do otherwise is told."""
    kept = journals()
    spoken = [lines for lines in kept if any(b'"VoiceStopped"' in line for line in lines)]
    assert len(spoken) > CALLS / 2
    rules: dict[Any, Any] = machine.RULES
    rule = rules[Listening, v.VoiceStopped]
    monkeypatch.setitem(rules, (Listening, v.VoiceStopped), _without_its_end(rule))
    differences = [replayed(lines) for lines in spoken]
    found = [one for one in differences if isinstance(one, Difference)]
    assert len(found) > len(spoken) / 2
    assert {type(one.event) for one in found} == {v.VoiceStopped}


def _without_its_end(rule: Any) -> Any:
    def changed(state: Listening, event: v.VoiceStopped, manners: Manners) -> Any:
        following, commands = rule(state, event, manners)
        return following, commands[:-1]

    return changed


def test_manners_that_have_changed_show() -> None:
    """A journal has the manners it was made with: another patience gives other waits."""
    lines = next(lines for lines in journals() if any(b'"silence"' in line for line in lines))
    steps = list(journal.read(lines))
    impatient = [
        replace(step, manners=replace(step.manners, patience=_HASTY)) if step.manners else step
        for step in steps
    ]
    difference = journal.replay(impatient)
    assert isinstance(difference, Difference)
    assert difference.recorded != difference.replayed
    assert difference.line <= 1 + next(
        number for number, step in enumerate(steps) if isinstance(step.event, v.VoiceStopped)
    )


_HASTY = replace(Manners().patience, done=211, hanging=222, doubtful=233, open=244)
