"""What axe-core finds hard to use with a keyboard, a screen reader or other eyes."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.async_api import Page

from node_tools import NODE_MODULES

SERIOUS = frozenset({"serious", "critical"})
ANY = SERIOUS | {"moderate", "minor"}


async def violations(page: Page, impacts: frozenset[str] = ANY) -> list[str]:
    """Those of some weight; everything that folds is unfolded first."""
    await page.evaluate(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    # Evaluated by the debugger, which no policy of the page binds.
    await page.evaluate(_axe())
    found: list[dict[str, Any]] = await page.evaluate("axe.run().then((all) => all.violations)")
    return [
        f"{one['impact']}: {one['help']}: {[node['html'] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in impacts
    ]


@cache
def _axe() -> str:
    text = (NODE_MODULES / "axe-core" / "axe.min.js").read_text("utf-8")
    return f"{text}; 0"
