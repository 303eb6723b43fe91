"""The stamp: a second run costs nothing, and whatever matters renews the set-up."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environment
import web_sources
from environment import LOCKS, fingerprint, is_ready, main, stamp

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that is set up to "serve", as far as the stamp can tell."""
    for name in (*environment._COVERED, *LOCKS.values(), environment._SIGN_OF_MODELS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    stamp(tmp_path, "serve").write_text(fingerprint(tmp_path, "serve"))
    return tmp_path


def test_a_checkout_that_was_set_up_is_ready(checkout: Path) -> None:
    """For what it was set up for, and no more."""
    assert is_ready(checkout, "serve")
    assert not is_ready(checkout, "test")


@pytest.mark.parametrize("name", [*environment._COVERED, LOCKS["serve"]])
def test_a_change_of_anything_covered_asks_for_a_new_set_up(checkout: Path, name: str) -> None:
    """Locks, pyproject.toml, Python, and the set-up's own code."""
    with (checkout / name).open("a") as file:
        file.write("# changed\n")
    assert not is_ready(checkout, "serve")


def test_another_levels_lock_does_not_matter(checkout: Path) -> None:
    """A new development tool is no reason to renew a server."""
    (checkout / LOCKS["test"]).write_text("")
    assert is_ready(checkout, "serve")


@pytest.mark.parametrize("name", [environment._SIGN_OF_MODELS, ".venv/pyvenv.cfg"])
def test_something_deleted_asks_for_a_new_set_up(checkout: Path, name: str) -> None:
    """A cleaned checkout mends itself."""
    (checkout / name).unlink()
    assert not is_ready(checkout, "serve")


def test_a_checkout_that_was_moved_is_not_ready(checkout: Path, tmp_path: Path) -> None:
    """The commands in .venv/bin have its path in them."""
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    checkout.rename(moved)
    assert not is_ready(moved, "serve")
    moved.rename(checkout)


def test_a_new_clone_is_not_ready(tmp_path: Path) -> None:
    """Nothing there is no error."""
    assert not is_ready(tmp_path, "serve")


@pytest.mark.parametrize("arguments", [[], ["bench"], ["serve", "test"]])
def test_a_wrong_use_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2 and the levels are named, on standard error."""
    assert main(arguments) == 2
    assert capsys.readouterr().err == "usage: environment.py serve|test\n"


def test_the_check_loads_neither_site_packages_nor_the_steps() -> None:
    """What makes a second run quick: a handful of standard modules and no imports of ours."""
    code = (
        "import sys; sys.path.insert(0, 'tools'); import environment, pathlib;"
        "environment.is_ready(pathlib.Path.cwd(), 'test');"
        "print(sorted({'set_up', 'installers', 'subprocess', 'site'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def test_the_sign_of_models_is_a_model() -> None:
    """The copied path agrees with the list that the set-up works from."""
    import model_files  # noqa: PLC0415 - beside its only use.

    first = model_files.FOLDER / model_files.MODEL_FILES[0].name
    assert str(first) == environment._SIGN_OF_MODELS


def test_only_the_pages_are_made_again_after_an_edit_of_one(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though all the rest is there; and once they are made, nothing is done or said."""
    monkeypatch.setattr(environment, "ROOT", checkout)
    for name in ("web.py", "web_sources.py"):
        shutil.copy(ROOT / "tools" / name, checkout / "tools" / name)
    pages = checkout / web_sources.WEB
    pages.mkdir(parents=True)
    (pages / "console.html").write_text("<head></head>")
    shutil.copy(ROOT / web_sources.LOCK, pages)
    (pages / "node_modules").symlink_to(ROOT / web_sources.WEB / "node_modules")
    (pages / "style").mkdir()
    for text in ("p { margin: 0 }", "p { margin: 1px }"):
        (pages / "style/console.css").write_text(text)
        assert main(["serve"]) == 0
        assert capsys.readouterr().err == "antiphon: bundling the web pages\nantiphon: ready\n"
        assert main(["serve"]) == 0
        assert capsys.readouterr().err == ""
