"""What callers are like."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.behaviour import Behaviour, role
from loadtest.loading import clip

CLIPS = [clip("one"), clip("two")]


def _random(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (no secret)


@given(seed=st.integers(), low=st.integers(1, 5), more=st.integers(0, 5))
def test_a_seed_makes_one_conversation_of_the_asked_length(seed: int, low: int, more: int) -> None:
    """The same twice; nobody interrupts before anything was said."""
    usual = Behaviour(turns=(low, low + more), barge_in=0.5)
    played = role(usual, CLIPS, _random(seed))
    assert played == role(usual, CLIPS, _random(seed))
    assert low <= len(played.parts) <= low + more
    assert played.parts[0].over_s is None


def test_certainties_are_kept() -> None:
    """Probability 1 is always, 0 is never."""
    always = role(Behaviour(1, 1, 1, 0, turns=(3, 3)), CLIPS, _random(0))
    assert always.offers_tool
    assert [part.over_s is not None for part in always.parts] == [False, True, True]
    assert all(part.drops for part in always.parts)
    silent = role(Behaviour(0, 0, 0, idle=1, turns=(2, 2)), CLIPS, _random(0))
    assert silent.parts == ()
    assert silent.silent_s > 0
