"""Tests are the specification, so each says what it proves, and each always runs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from house.layout import ROOT, python_files

# What a test may not do, as it is written, and why.
FORBIDDEN = {
    r"\btime\.sleep\(": "waits for luck: wait for an event, or in virtual time",
    r"\bpytest\.(skip|xfail|importorskip)\b|\bmark\.(skip|skipif|xfail)\b": "does not always run",
    r"\bunittest\.mock\b|\bMagicMock\b|\bmocker\b": "tests a mock: use a scripted provider",
}


def _tests() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in python_files("tests"):
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                node.name.startswith("test_")
            ):
                yield path, node


def test_every_test_says_what_it_proves() -> None:
    """The name is the claim, the docstring the truth or the reason behind it."""
    silent = [
        f"{path}:{test.lineno} {test.name}"
        for path, test in _tests()
        if not ast.get_docstring(test)
    ]
    assert silent == []


def test_no_two_tests_of_a_module_have_one_name() -> None:
    """The second would replace the first, which then never runs."""
    seen: set[tuple[Path, str]] = set()
    for path, test in _tests():
        assert (path, test.name) not in seen
        seen.add((path, test.name))


def test_no_test_sleeps_is_skipped_or_mocks() -> None:
    """A missing dependency is a failure; time is virtual; doubles are scripted providers."""
    itself = Path(__file__).resolve()
    found = [
        f"{path}:{number} {why}"
        for path in python_files("tests")
        if ROOT / path != itself
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1)
        for pattern, why in FORBIDDEN.items()
        if re.search(pattern, line)
    ]
    assert found == []
