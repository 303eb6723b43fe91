"""How the tests of the JavaScript SDK run: its test files in Node, its types in the compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hostile.serving import environment
from node_tools import NODE, NODE_ROOT, NPM, tool

TESTS = Path(__file__).parent / "js"
ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clients" / "js"
SECONDS = 120
"""For one file; each takes a few."""


def node(*arguments: str, cwd: Path | None = None, **variables: str) -> str:
    """What Node prints, on both streams. Raises ``AssertionError`` with it if that fails."""
    return _printed([NODE, *arguments], cwd, **variables)


def passes(file: str, *options: str, **variables: str) -> None:
    """Runs a file of ``node:test``. Raises ``AssertionError`` with what it reported."""
    # A process that is left running by a socket or a timer fails, too.
    node(*options, str(TESTS / file), cwd=TESTS, **variables)


def npm(*arguments: str, cwd: Path) -> str:
    """What npm prints; it asks no registry."""
    return _printed([*NPM, *arguments, "--offline"], cwd, npm_config_cache=str(cwd / ".npm"))


def compiled(*arguments: str, cwd: Path = NODE_ROOT) -> subprocess.CompletedProcess[str]:
    """What the TypeScript compiler says."""
    return subprocess.run(
        [*tool("tsc", package="typescript"), *arguments],
        cwd=cwd,
        capture_output=True,
        check=False,
        text=True,
    )


def _printed(command: list[str], cwd: Path | None, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment("/nowhere", **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
