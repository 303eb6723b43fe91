"""Writes what is derived from the code: schema, AsyncAPI, TypeScript, reference pages.

``python tools/generate.py`` writes, ``python tools/generate.py --check`` names what is stale
and exits with 1. A module in ``tools/generators`` with a function
``outputs() -> dict[str, str]`` (path from the top of the repository to text) is all it takes
to add one.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def collected() -> dict[str, str]:
    """The text of every generated file by its path."""
    names = sorted(source.stem for source in (TOP / "tools" / "generators").glob("[!_]*.py"))
    return merged({name: import_module(f"generators.{name}").outputs() for name in names})


def merged(by_generator: dict[str, dict[str, str]]) -> dict[str, str]:
    """All texts by path. Raises ``ValueError`` where two generators write one file."""
    texts: dict[str, str] = {}
    for name, outputs in by_generator.items():
        for path in texts.keys() & outputs.keys():
            raise ValueError(f"{name} generates {path}, which another one does too")
        texts |= outputs
    return texts


def stale(texts: dict[str, str], top: Path) -> list[str]:
    """The paths under ``top`` that are missing or say something else."""
    return [path for path, text in texts.items() if _read(top / path) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def write(texts: dict[str, str], top: Path) -> None:
    """Writes every text to its path under ``top``."""
    for path, text in texts.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str], top: Path = TOP) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Write what is derived from the code.")
    parser.add_argument("--check", action="store_true", help="only name what is stale")
    check = parser.parse_args(arguments).check
    texts = collected()
    old = stale(texts, top)
    for path in old:
        print(f"stale: {path}" if check else f"wrote {path}")
    if check and old:
        print("Run: python tools/generate.py")
        return 1
    if not check:
        write({path: texts[path] for path in old}, top)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
