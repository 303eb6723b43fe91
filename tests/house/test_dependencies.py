"""Every dependency is justified, bounded from below, and pinned by hash."""

import json
import re
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from house.layout import ROOT, pyproject

LOCKS = ("bootstrap", "serve", "dev", "models", "node", "longer", "litellm")
WEB = "server/antiphon_server/console/web"
EXACT = re.compile(r"\d+\.\d+\.\d+")


def _groups() -> dict[str, list[Requirement]]:
    """Return the direct dependencies by where they stand in pyproject.toml, less our own extras.

    Those of the longer tests stand in requirements/longer.in and requirements/litellm.in, and
    Node, for machines that have none, in requirements/node.in.
    """
    content = pyproject()
    written = {
        "build": content["build-system"]["requires"],
        "core": content["project"]["dependencies"],
        **content["project"]["optional-dependencies"],
        **content["dependency-groups"],
        "node": _lines("node"),
        "longer": _lines("longer"),
        "litellm": _lines("litellm"),
    }
    return {
        group: [found for found in map(Requirement, lines) if found.name != "antiphon"]
        for group, lines in written.items()
    }


def _lines(name: str) -> list[str]:
    """Return what a file of requirements asks for."""
    lines = (ROOT / f"requirements/{name}.in").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def _direct() -> dict[str, Requirement]:
    return {need.name: need for group in _groups().values() for need in group}


def _wanted(folder: str) -> dict[str, str]:
    """Return the Node packages that a folder asks for, and their versions."""
    manifest = json.loads((ROOT / folder / "package.json").read_text("utf-8"))
    return {**manifest.get("dependencies", {}), **manifest["devDependencies"]}


def _node_packages() -> dict[str, str]:
    return {**_wanted("tests/node"), **_wanted(WEB)}


def _pins(lock: str) -> Iterator[tuple[str, Version, int]]:
    """Yield name, version and number of hashes for each pin of a lock; a name may have several."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    for entry in re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)):
        match = re.match(r"([\w.-]+)==([\w.+!]+)", entry)
        assert match is not None, f"not a pin: {entry[:80]}"
        yield canonicalize_name(match[1]), Version(match[2]), entry.count("--hash=sha256:")


@pytest.mark.parametrize("need", _direct().values(), ids=str)
def test_a_dependency_has_a_lower_bound(need: Requirement) -> None:
    """An old release with a known hole must not satisfy us."""
    assert any(clause.operator in {">=", "=="} for clause in need.specifier)


@pytest.mark.parametrize("name", _direct())
def test_a_dependency_is_justified(name: str) -> None:
    """docs/dependencies.md has a row for it: what it is for, its licence, why its bound."""
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    assert re.search(rf"^\| `{re.escape(name)}` \|", page, flags=re.MULTILINE)


def test_the_page_of_dependencies_has_no_row_too_many() -> None:
    """What is no longer needed is no longer justified."""
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `([\w.-]+)` \|", page, flags=re.MULTILINE))
    models = {name for name, _, _ in _pins("models")}
    others = {"pip", "uv", "libflite1", "chromium"}
    assert rows <= _direct().keys() | models | _node_packages().keys() | others


@pytest.mark.parametrize("name", _node_packages())
def test_a_node_package_is_justified(name: str) -> None:
    """As any other dependency is."""
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    assert re.search(rf"^\| `{re.escape(name)}` \|", page, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("serve", ["core", "server", "local"]),
        ("dev", [*pyproject()["project"]["optional-dependencies"], "core", "dev"]),
        ("bootstrap", ["build"]),
        ("node", ["node"]),
        ("longer", ["longer"]),
        ("litellm", ["litellm"]),
    ],
)
def test_a_lock_has_every_dependency_within_its_bounds(lock: str, groups: list[str]) -> None:
    """scripts/lock has been run since pyproject.toml changed."""
    pins = list(_pins(lock))
    for need in (need for group in groups for need in _groups()[group]):
        versions = [version for name, version, _ in pins if name == canonicalize_name(need.name)]
        assert versions, f"{need} is not in requirements/{lock}.txt"
        assert all(version in need.specifier for version in versions)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_hashes(lock: str) -> None:
    """Whoever serves a package cannot change it."""
    assert all(hashes > 0 for _, _, hashes in _pins(lock))


def test_the_locks_agree() -> None:
    """What is served is what was tested."""
    dev = {(name, version) for name, version, _ in _pins("dev")}
    names = {name for name, _ in dev}
    for lock in ("serve", "bootstrap", "node"):
        pins = {(name, version) for name, version, _ in _pins(lock) if name in names}
        assert pins <= dev


@pytest.mark.parametrize("folder", ["tests/node", WEB])
def test_node_packages_are_pinned_by_hash_and_name_no_host(folder: str) -> None:
    """The lock says what, not where from."""
    lock = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in _wanted(folder).items():
        assert EXACT.fullmatch(version)
        assert lock[f"node_modules/{name}"]["version"] == version
    installed = {path: entry for path, entry in lock.items() if path}
    assert all(entry["integrity"].startswith("sha512-") for entry in installed.values())
    assert all("resolved" not in entry for entry in installed.values())
