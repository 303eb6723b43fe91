"""Who has no compiler is told so, before anything is fetched."""

from pathlib import Path

import pytest

from commands import SetupError
from longer.environment import require_compilers


def _program(folder: Path, name: str) -> None:
    """Puts something that could be run into the folder."""
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_a_machine_without_compilers_is_told_what_is_missing(tmp_path: Path) -> None:
    """Both are named, and how to get them."""
    with pytest.raises(SetupError, match=r"\(gcc\) and .*\(g\+\+\) are missing.*apt-get install"):
        require_compilers({"PATH": str(tmp_path)})


def test_a_missing_cpp_compiler_is_told_alone(tmp_path: Path) -> None:
    """A machine with gcc and no g++ is the commonest case."""
    _program(tmp_path, "cc")
    with pytest.raises(SetupError, match=r"and a C\+\+ compiler \(g\+\+\) is missing"):
        require_compilers({"PATH": str(tmp_path)})


def test_compilers_may_be_named_by_the_environment(tmp_path: Path) -> None:
    """CC and CXX count, arguments and all."""
    for name in ("one", "other"):
        _program(tmp_path, name)
    require_compilers({"PATH": str(tmp_path), "CC": "one -m64", "CXX": "other"})
