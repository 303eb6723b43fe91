"""The search for the highest load that holds."""

from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.capacity import CLOSE, Bracket, search


@given(true=st.integers(0, 3000), first=st.integers(1, 300), most=st.integers(1, 3000))
def test_the_search_finds_what_a_server_carries(true: int, first: int, most: int) -> None:
    """To within a twentieth, never more, in few tries, none twice, none beyond the most."""
    tried: list[int] = []

    async def holds(load: int) -> bool:
        tried.append(load)
        return load <= true

    found, bracket = asyncio.run(search(first, most, holds))
    assert found <= true
    assert len(tried) == len(set(tried)) <= 2 * math.log2(3000) + 4
    assert max(tried) <= most
    if bracket.fails is None:
        assert found == most
    else:
        assert bracket.fails > true
        assert bracket.fails - found <= max(1, int(CLOSE * found))


def test_a_first_load_that_fails_leads_down() -> None:
    """To one caller, if need be."""
    bracket = Bracket(0, None, 100).learned(10, held=False)
    assert bracket.next(10) == 5
    assert bracket.learned(5, held=False).learned(2, held=False).next(10) == 1
