"""The reference page of the REST API."""

from __future__ import annotations

import re

import pytest

from antiphon_server.rest.openapi import ALWAYS, WITH_A_BODY, WITH_A_KEY
from antiphon_server.rest.operations import Operation
from generators.rest_page import PATH, outputs
from rest_model import document, operations

COMMON = {*ALWAYS, *WITH_A_KEY, *WITH_A_BODY}
PAGE = outputs()[PATH]


def _section(heading: str) -> str:
    return PAGE.split(f"\n{heading}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]


@pytest.mark.parametrize("operation", operations(), ids=lambda one: f"{one.method} {one.path}")
def test_every_operation_has_a_section(operation: Operation) -> None:
    """With its parameters, its body, its answers and the errors that are its own."""
    section = _section(f"### `{operation.method} {operation.path}`")
    assert operation.summary in section
    assert ("No key is needed." in section) == operation.public
    for parameter in operation.query:
        assert f"| `{parameter.name}` | query |" in section
    if operation.takes is not None:
        assert f"Body: `{operation.takes.__name__}" in section
    assert f"| {operation.status} |" in section
    for kind in set(operation.errors) - COMMON:
        assert f"`{kind.code}`" in section


def test_what_any_operation_may_answer_stands_once() -> None:
    """Beside an operation it would hide what is its own."""
    assert PAGE.count("| 500 |") == PAGE.count("`unauthorized`") == 1
    assert PAGE.count("| 503 |") == 1


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_every_type_has_a_table(name: str) -> None:
    """With all its fields."""
    section = _section(f"### {name}")
    for field in document()["components"]["schemas"][name]["properties"]:
        assert f"| `{field}` |" in section


def test_every_link_leads_somewhere() -> None:
    """To a heading of this page."""
    headings = {line.lstrip("# ").lower() for line in PAGE.splitlines() if line.startswith("#")}
    targets = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert targets
    assert targets <= headings
