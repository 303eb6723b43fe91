"""What is generated is fresh, and imports go where the drawing says."""

import subprocess
import sys
from pathlib import Path

from house.layout import ROOT


def _run(*command: str) -> str:
    """Return what a failing `command` printed, or nothing if it passed."""
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr) if done.returncode else ""


def test_generated_files_are_what_their_generators_write() -> None:
    """Schema, AsyncAPI, types and pages follow the code: run tools/generate.py after a change."""
    assert _run(sys.executable, "tools/generate.py", "--check") == ""


def test_imports_keep_the_contracts() -> None:
    """The contracts stand in pyproject.toml: who may know whom, and what stays pure."""
    assert _run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache") == ""
