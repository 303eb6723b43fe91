"""What holds, section by section: the sections are named by the docstrings of the tests."""

from __future__ import annotations

import re

import pytest

PROPERTY = "sections"
LEFT_OUT = pytest.StashKey[dict[str, int]]()
"""By reason, how many tests were not run."""
_SECTION = re.compile(r"§(\d+(?:\.\d+)?|[AB]\b)")
TITLES = {
    "1": "Connection and authentication",
    "2": "Messages",
    "3": "Session configuration",
    "4": "Ordering and states",
    "5": "Errors and close codes",
    "6": "REST",
    "7": "Audio",
    "9": "Recommended choices",
    "11": "Naive clients",
    "A": "The annotated session",
    "B": "Ranges",
}


def sections_of(item: pytest.Item) -> list[str]:
    """The sections that a test is about."""
    doc = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    return list(dict.fromkeys(_SECTION.findall(doc)))


def write(reporter: pytest.TerminalReporter, left_out: dict[str, int]) -> None:
    """Writes the table; nothing when no test of the suite ran."""
    passed: dict[str, int] = {}
    failed: dict[str, int] = {}
    for outcome, counts in (("passed", passed), ("failed", failed), ("error", failed)):
        for report in reporter.stats.get(outcome, []):
            for section in dict(getattr(report, "user_properties", ())).get(PROPERTY, "").split():
                counts[section] = counts.get(section, 0) + 1
    if not passed and not failed:
        return
    reporter.section("conformance")
    for section in sorted({*passed, *failed}, key=_order):
        title = TITLES.get(section, "")
        good, bad = passed.get(section, 0), failed.get(section, 0)
        verdict = f"{bad} failed" if bad else "holds"
        reporter.line(f"§{section:<5} {good:>4} of {good + bad:<4} {verdict:<12} {title}".rstrip())
    for reason, count in sorted(left_out.items()):
        reporter.line(f"not run: {count} tests, {reason}")


def _order(section: str) -> tuple[int, list[int], str]:
    numbers = [int(part) for part in section.split(".") if part.isdigit()]
    return (0, numbers, "") if numbers else (1, [], section)
