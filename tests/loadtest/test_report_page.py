"""The report as one page; tests/browser looks at it in a browser."""

from __future__ import annotations

import re

import pytest

from antiphon_loadtest.report_page import page
from loadtest.reports import report


@pytest.mark.parametrize("search", [False, True])
def test_the_page_needs_nothing_else_and_escapes_what_it_shows(search: bool) -> None:
    """No script, no address to be loaded from."""
    made = page(report(search=search))
    assert "ws://&lt;host&gt;" in made
    assert not re.search(r"<script|<link|src=|href=|url\(", made)
    assert "connecting: at_capacity" in made
    assert ("Every load that was tried" in made) == search
