"""The tests of the conversation are tested: each fault put into it makes one of them fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import antiphon_server
from server.conversation.mutants import MUTANTS, Mutant

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]
SERVER = Path(antiphon_server.__file__).parent
TOGETHER = 2
EXAMPLES = [str(HERE / f"test_{name}.py") for name in ("on_voice", "on_reply", "on_reply_hold")]
EXAMPLES += [str(HERE / f"test_{name}.py") for name in ("on_client", "on_drop", "on_time")]
EXAMPLES += [str(HERE / f"test_{name}.py") for name in ("moves", "memory")]
"""They need a second; most faults are noticed by them."""
SLOW = {str(HERE / "test_heard_accuracy.py"), str(Path(__file__))}
"""Beside this one: sixteen seconds of speech, which find no fault that the others do not."""
OTHERS = sorted({str(path) for path in HERE.glob("test_*.py")} - {*EXAMPLES, *SLOW})
QUICKLY = ("-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "--noconftest")
PLAINLY = ("--rootdir", str(TOP), "--import-mode=importlib", "-W", "error")
"""Without the plugins that other tests need, which take longer to load than these to run."""
WHERE = "import antiphon_server.conversation.moves as moves; print(moves.__file__)"


def copy_into(folder: Path) -> Path:
    """The server package with a copy of its conversation, whose folder is returned."""
    package = folder / SERVER.name
    package.mkdir(parents=True)
    for part in SERVER.iterdir():
        if part.name not in {"conversation", "__pycache__"}:
            (package / part.name).symlink_to(part)
    pure = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SERVER / "conversation", package / "conversation", ignore=pure)
    return package / "conversation"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with the copy in ``folder`` before the server itself."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=TOP,
        env={
            **os.environ,
            "PYTHONPATH": f"{folder}{os.pathsep}{TOP / 'tests'}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "CONVERSATION_HISTORIES": "400",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def examine(folder: Path, module: str = "machine.py") -> subprocess.CompletedProcess[str]:
    """The tests of the conversation, of the copy, up to the first that fails; those of the module
    come first.
    """
    own = sorted(str(path) for path in HERE.glob(f"test_{Path(module).stem}*.py"))
    empty = folder / "pytest.ini"
    empty.write_text("[pytest]\n", "utf-8")
    plainly = ("-m", "pytest", "-c", str(empty), *QUICKLY, *PLAINLY)
    outcome = run(folder, *plainly, *dict.fromkeys([*own, *EXAMPLES]))
    return outcome if outcome.returncode != 0 else run(folder, *plainly, *OTHERS)


def survives(mutant: Mutant, folder: Path) -> str:
    """Nothing if a test noticed, and else what they said."""
    changed = copy_into(folder) / mutant.file
    text = changed.read_text("utf-8")
    if text.count(mutant.old) != 1:
        return f"{mutant.breaks}: its old text is {text.count(mutant.old)} times in {mutant.file}"
    changed.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    outcome = examine(folder, mutant.file)
    # 1: some test failed. Anything else, such as a module that cannot be read, proves nothing.
    return "" if outcome.returncode == 1 else f"{mutant.breaks}: {outcome.stdout[-2000:]}"


def test_it_is_the_copy_that_is_tested(tmp_path: Path) -> None:
    """Unchanged it passes; else every mutant would die, or none, for a wrong reason."""
    copy = copy_into(tmp_path)
    assert Path(run(tmp_path, "-c", WHERE).stdout.strip()) == copy / "moves.py"
    outcome = examine(tmp_path)
    assert outcome.returncode == 0, outcome.stdout[-2000:]


@pytest.mark.timeout(300)
def test_every_fault_is_noticed(tmp_path: Path) -> None:
    """No fault gets past all tests, and each is a change of what is written today."""
    folders = [tmp_path / str(number) for number in range(len(MUTANTS))]
    with ThreadPoolExecutor(TOGETHER) as pool:
        outcomes = list(pool.map(survives, MUTANTS, folders))
    assert [outcome for outcome in outcomes if outcome] == []
    assert len(MUTANTS) >= 10
