"""What pytest says of providers under the contract, run as their author runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree as ET

HERE = Path(__file__).parent
PLUGIN = "antiphon_providers.contract.plugin"
ENVIRONMENT = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""No plugin but those of the command, whatever is installed."""
SECONDS = 110


class Run(NamedTuple):
    """A run's exit status, what it printed, and by class and test how each failed ("": passed)."""

    status: int
    printed: str
    failures: dict[str, dict[str, str]]


def command(*arguments: str) -> list[str]:
    """Starts pytest with the plugin and no settings of this repository, warnings as errors."""
    return [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"),
        *("-p", "pytest_asyncio.plugin", "-p", PLUGIN),
        *arguments,
    ]


def run(*arguments: str) -> Run:
    """Runs pytest in an empty folder."""
    with TemporaryDirectory() as folder:
        report, settings = Path(folder) / "report.xml", Path(folder) / "pytest.ini"
        settings.write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n", "utf-8")
        done = subprocess.run(
            command("-c", str(settings), "--junitxml", str(report), *arguments),
            cwd=folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        found = failures(report.read_text("utf-8")) if report.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, found)


def failures(report: str) -> dict[str, dict[str, str]]:
    """The failures that a report in JUnit's form tells of."""
    found: dict[str, dict[str, str]] = {}
    # It was written by pytest a moment ago.
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314
        of_class = found.setdefault(case.attrib["classname"].rpartition(".")[2], {})
        told = [part.text or "" for part in case if part.tag in {"failure", "error"}]
        name = case.attrib["name"]
        of_class[name] = of_class.get(name, "") + "".join(told)
    return found


class Case(NamedTuple):
    """This twin fails in this test of the contract, which says so with these words."""

    twin: str
    test: str
    words: str


class Jury:
    """The contract of a stage, for the twins in a module of this folder: for a broken one only
    the tests that are to find it (a test that waits in vain takes its time), for the sound one all.
    """

    def __init__(self, module: str, cases: Iterable[Case]) -> None:
        self._path = HERE / f"{module}.py"
        self._cases = list(cases)

    @cached_property
    def run(self) -> Run:
        """What came of it."""
        tests = sorted({f"{self._path}::Test{twin}::{test}" for twin, test, _ in self._cases})
        return run("--noconftest", "--import-mode=importlib", f"{self._path}::TestSound", *tests)

    def finds(self, case: Case) -> None:
        """Sees that a fault is found, for the right reason."""
        failure = self.run.failures[f"Test{case.twin}"][case.test]
        assert case.words in failure, failure or "it passed"

    def acquits(self) -> None:
        """Sees that the sound twin passes."""
        assert set(self.run.failures["TestSound"].values()) == {""}
