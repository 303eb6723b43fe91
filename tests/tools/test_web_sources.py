"""What the pages are made from: every source counts, and nothing else."""

from pathlib import Path

import pytest

import web_sources
from web_sources import BUILT, WEB, are_built, fingerprint, note

FILES = (
    "tools/web.py",
    "tools/web_sources.py",
    "server/antiphon_server/console/web/package-lock.json",
    "server/antiphon_server/console/web/playground.html",
    "server/antiphon_server/console/web/playground/main.js",
    "clients/js/src/index.js",
    "clients/js/src/worklets/player.js",
    "clients/js/widget/antiphon-widget.js",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose pages were built."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / BUILT).mkdir()
    note(tmp_path / BUILT, fingerprint(tmp_path))
    return tmp_path


def test_pages_that_were_built_from_these_sources_are_built(checkout: Path) -> None:
    """Until they are deleted."""
    assert are_built(checkout)
    for path in (checkout / BUILT).iterdir():
        path.unlink()
    assert not are_built(checkout)


@pytest.mark.parametrize("name", FILES)
def test_an_edit_of_any_source_asks_for_a_new_build(checkout: Path, name: str) -> None:
    """Pages, styles, locks, the SDK, and what bundles them."""
    (checkout / name).write_text("changed")
    assert not are_built(checkout)


def test_a_new_source_or_another_name_asks_for_a_new_build(checkout: Path) -> None:
    """The content alone does not say which page it is of."""
    page = checkout / WEB / "playground.html"
    page.rename(page.with_name("console.html"))
    assert not are_built(checkout)


def test_what_packages_bring_does_not_count(checkout: Path) -> None:
    """The lock says all there is to say of it."""
    (checkout / WEB / "node_modules/uplot").mkdir(parents=True)
    (checkout / WEB / "node_modules/uplot/index.js").write_text("code")
    assert are_built(checkout)


def test_a_copy_without_the_sources_is_not_built(tmp_path: Path) -> None:
    """That they are missing is no traceback."""
    (tmp_path / BUILT).mkdir(parents=True)
    note(tmp_path / BUILT, "a mark")
    assert not are_built(tmp_path)


def test_the_folders_are_those_of_the_repository() -> None:
    """What was moved would be forgotten."""
    root = Path(__file__).resolve().parents[2]
    assert all((root / folder).is_dir() for folder in (web_sources.WEB, web_sources.CLIENT))
