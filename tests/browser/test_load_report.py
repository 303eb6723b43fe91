"""The load test's report in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_loadtest.report_page import page
from browser.axe import violations
from browser.window import Windows
from loadtest.reports import report


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_the_report_is_readable_at_any_width_in_any_light(
    chromium: Windows, tmp_path: Path, scheme: str, width: int
) -> None:
    """Nothing sticks out, nothing that axe finds hard to use, and the curves are there."""
    path = tmp_path / "report.html"
    path.write_text(page(report(search=True)), "utf-8")
    opened = await chromium.open(
        path.as_uri(), color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    assert await opened.locator("svg").count() >= 2
    assert await opened.evaluate("document.documentElement.scrollWidth") <= width
    assert await violations(opened) == []
