"""Curves as inline SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.plots import bars, lines, scale

_FINITE = st.floats(0, 1e12)


@given(most=st.floats(0, 1e12, exclude_min=True))
def test_a_scale_reaches_the_most_in_few_even_steps(most: float) -> None:
    """From 0, growing."""
    marks = scale(most)
    assert marks[0] == 0
    assert marks[-1] >= most * (1 - 1e-6)
    assert len(marks) <= 6
    assert marks == sorted(set(marks))


@given(points=st.lists(st.tuples(_FINITE, _FINITE), min_size=1, max_size=20))
def test_any_points_make_a_figure(points: list[tuple[float, float]]) -> None:
    """Well-formed, with a name for who cannot see it."""
    figure = ET.fromstring(lines("A & B", "x", "ms", {"<p50>": points}))  # noqa: S314 (our own)
    drawn = figure.find("svg")
    assert drawn is not None
    assert drawn.attrib["aria-label"] == "A & B, ms: <p50>"
    assert len(drawn.findall("circle")) == len(points)


def test_nothing_measured_is_nothing_drawn() -> None:
    """No empty axes."""
    assert lines("t", "x", "y", {"p50": []}) == ""
    assert bars("t", "y", {}) == ""
    assert "&lt;b&gt;" in bars("t", "y", {"<b>": 0})
