"""What the repository consists of, for the tests about the house itself."""

import ast
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# Where a module lies -> where its test module lies.
MIRROR = {
    "protocol/antiphon_protocol": "tests/protocol",
    "providers/antiphon_providers": "tests/providers",
    "server/antiphon_server": "tests/server",
    "clients/python/antiphon": "tests/clients",
    "loadtest/antiphon_loadtest": "tests/loadtest",
    "tools": "tests/tools",
}


# Folders that .gitignore names, for a copy that is no clone.
_IGNORED = {
    ".venv",
    ".cache",
    "node_modules",
    "__pycache__",
    "dist",
    "build",
    "var",
    "models",
    "built",
}


def committed_files() -> list[Path]:
    """Return the path of every file that is or would be committed, relative to ROOT, sorted.

    In a copy of the files without git's folder: of every file that git would not ignore.
    """
    if not (ROOT / ".git").exists():
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return sorted(path for path in found if not _IGNORED.intersection(path.parts))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = {name for name in listed.split("\0") if name}
    return sorted(Path(name) for name in names if (ROOT / name).is_file())


def python_files(folder: str) -> list[Path]:
    """Return the Python files under `folder` that are or would be committed."""
    return [
        path for path in committed_files() if path.suffix == ".py" and path.is_relative_to(folder)
    ]


def pyproject() -> dict[str, Any]:
    """Return the content of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def says_something(path: Path) -> bool:
    """Tell whether a module has code of its own: more than a docstring, imports and names of them.

    An `__init__.py` that only gathers what its package offers needs no test.
    """
    return not all(
        isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in ast.parse((ROOT / path).read_text("utf-8")).body
    )
