"""One distribution holds the five packages; its wheel also holds the models and their notices."""

import importlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from house.layout import ROOT, pyproject

PACKAGES = {
    "antiphon",
    "antiphon_loadtest",
    "antiphon_protocol",
    "antiphon_providers",
    "antiphon_server",
}


def _entry_points() -> list[tuple[str, str, str]]:
    project = pyproject()["project"]
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    return [
        (group, name, target)
        for group, entries in groups.items()
        for name, target in entries.items()
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution, built as a release is."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


def test_the_wheel_holds_the_packages_what_was_made_and_the_licences(built: Path) -> None:
    """Installed from it, models and web pages need no network; nothing else comes along."""
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    models = "antiphon_providers/local/models"
    assert {
        f"{models}/silero_vad.onnx",
        f"{models}/silero_vad.LICENSE.txt",
        f"{models}/smart-turn-v3.2-cpu.onnx",
        f"{models}/smart-turn.LICENSE.txt",
    } <= set(names)
    pages = "antiphon_server/console/built"
    assert {
        f"{pages}/playground.html",
        f"{pages}/console.html.gz",
        f"{pages}/assets/antiphon.js",
        f"{pages}/assets/licences.txt",
    } <= set(names)
    assert not [name for name in names if "/console/web/" in name]
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_every_package_is_typed(built: Path) -> None:
    """Type checkers of those who use it look inside."""
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)


def test_the_source_distribution_can_build_the_wheel(built: Path) -> None:
    """It has the build hook and what the hook needs, and no model, no bundle, no Node package."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"hatch_build.py", "tools/model_files.py", "requirements/models.txt"} <= inside
    web = "server/antiphon_server/console/web"
    assert {"tools/web.py", f"{web}/package-lock.json", f"{web}/playground.html"} <= inside
    assert "clients/js/src/index.js" in inside
    made = (".onnx", "/built/", "/node_modules/")
    assert not [name for name in inside if any(part in name for part in made)]


@pytest.mark.parametrize(("group", "name", "target"), _entry_points())
def test_an_entry_point_leads_to_something(group: str, name: str, target: str) -> None:
    """A command or a provider that is announced can be loaded."""
    module, _, attribute = target.partition(":")
    found = importlib.import_module(module)
    found = getattr(found, attribute) if attribute else found
    assert found is not None, (group, name)
