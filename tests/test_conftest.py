"""Where several processes share the tests, what belongs together stays together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUITE = ["tests/conformance/test_addresses.py::test_no_subprotocol_is_wanted_or_chosen"]
SUITE += ["tests/conformance/test_end.py::test_session_end_is_answered_and_closes_with_1000"]
SUITE += ["tests/conformance/test_the_suite.py"]
FILE = "tests/server/security/test_origins.py"


def test_files_and_the_conformance_suite_stay_whole_and_its_table_is_printed() -> None:
    """By the process that only hands the tests out, with what its workers found."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-n", "2", "--dist", "loadfile", *SUITE, FILE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    workers: dict[str, set[str]] = {"tests/conformance": set(), FILE: set()}
    for line in done.stdout.splitlines():
        if "PASSED" in line:
            (whole,) = (one for one in workers if f" {one}" in line)
            workers[whole].add(line.split()[0])
    assert sorted(map(len, workers.values())) == [1, 1]
    assert workers[FILE] != workers["tests/conformance"]
    assert "= conformance =" in done.stdout
    assert "§4.11" in done.stdout
