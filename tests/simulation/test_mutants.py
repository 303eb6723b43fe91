"""The rules of the simulation are tested: each fault put into the server breaks one of them."""

from __future__ import annotations

import pytest

from simulation.call import simulate
from simulation.mutants import MUTANTS, RULES, Mutant
from simulation.plans import plan_of

ALL = MUTANTS + RULES
SEEDS = 120
"""Within which each is found; most are in the first three."""


@pytest.mark.parametrize("mutant", ALL, ids=[mutant.breaks for mutant in ALL])
def test_a_fault_in_the_server_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise that the rules hold would mean nothing."""
    where = mutant.where
    if isinstance(where, dict):
        monkeypatch.setitem(where, mutant.name, mutant.made(where[mutant.name]))
    else:
        monkeypatch.setattr(where, mutant.name, mutant.made(getattr(where, mutant.name)))
    assert any(simulate(plan_of(seed)).broken for seed in range(SEEDS))
