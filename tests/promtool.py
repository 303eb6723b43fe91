"""Prometheus' own checker of rules and expressions, from Debian's package.

`tools/set_up.py` sees that it is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

UNPACKED = Path(sys.prefix) / "lib/prometheus/usr/bin/promtool"
"""Where the set-up unpacks the package if it is not installed."""
SECONDS = 60


class PromtoolMissing(Exception):
    """It is not on this machine; the message says what to do."""


def program() -> str:
    """Where it is. Raises ``PromtoolMissing``."""
    found = str(UNPACKED) if UNPACKED.exists() else shutil.which("promtool")
    if found is None:
        raise PromtoolMissing(
            "promtool is not on this machine: scripts/test fetches it where Debian's packages can "
            "be had; elsewhere install Prometheus"
        )
    return found


def promtool(*arguments: str | Path) -> tuple[int, str]:
    """Its exit status, and what it said."""
    done = subprocess.run(
        [program(), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return done.returncode, done.stdout + done.stderr
