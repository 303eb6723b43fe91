"""Debian packages are unpacked without root; here apt-get and dpkg-deb are tiny stand-ins."""

from pathlib import Path

import pytest

from commands import SetupError
from debian import install, unpack

# Knows the package `good`; a `.deb` of it is a text file. `fresh-only` needs new package lists,
# `needy` needs another one, which an install would bring.
APT_GET = """#!/bin/sh
for last in "$@"; do :; done
case "$* " in
    *" install --download-only "*" needy ")
        for word in "$@"; do
            case "$word" in Dir::Cache::archives=*) cd "${word#*=}" ;; esac
        done
        [ -d partial ] && echo content > needy_1.deb && echo content > needed_2.deb ;;
    "update ") echo renewed > "$DEBIAN_STATE" ;;
    *" update "*) exit 0 ;;
    "install --yes --no-install-recommends good ") echo installed >> "$DEBIAN_STATE" ;;
    "install --yes --no-install-recommends fresh-only ") grep -q renewed "$DEBIAN_STATE" \
        && echo installed >> "$DEBIAN_STATE" ;;
    *"Dir::State::lists="*"fresh-only "*) echo content > fresh-only_1.deb ;;
    *" download good "*) echo content > good_1.deb ;;
    *) echo "E: Unable to locate package $last" >&2; exit 100 ;;
esac
"""
DPKG_DEB = """#!/bin/sh
mkdir -p "$3/usr/lib" && cp "$2" "$3/usr/lib/"
"""


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose apt-get and dpkg-deb are the two scripts above."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"apt-get": APT_GET, "dpkg-deb": DPKG_DEB}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("DEBIAN_STATE", str(tmp_path / "state"))


@pytest.mark.usefixtures("debian")
def test_a_package_is_unpacked_into_a_folder_that_is_made(tmp_path: Path) -> None:
    """Only the files of the package come, not the package itself."""
    unpack(["good"], tmp_path / "new" / "folder")
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert files == [tmp_path / "new/folder/usr/lib/good_1.deb"]


@pytest.mark.usefixtures("debian")
def test_package_lists_that_are_absent_are_read_into_a_private_folder(tmp_path: Path) -> None:
    """A machine just installed has no lists, and only root may write them where they belong."""
    unpack(["fresh-only"], tmp_path / "into")
    assert (tmp_path / "into/usr/lib/fresh-only_1.deb").exists()


@pytest.mark.usefixtures("debian")
def test_what_a_package_needs_comes_with_it_where_that_is_asked_for(tmp_path: Path) -> None:
    """Apt knows what of it the machine has; nothing is installed."""
    unpack(["needy"], tmp_path / "into", with_needs=True)
    unpacked = {path.name for path in (tmp_path / "into/usr/lib").iterdir()}
    assert unpacked == {"needy_1.deb", "needed_2.deb"}
    with pytest.raises(SetupError, match="needy"):
        unpack(["needy"], tmp_path / "other")


@pytest.mark.usefixtures("debian")
def test_a_package_that_is_unknown_is_an_error(tmp_path: Path) -> None:
    """Its name and apt's own words are told, and nothing is unpacked."""
    with pytest.raises(SetupError, match=r"package bad(.|\n)*Unable to locate"):
        unpack(["bad"], tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.usefixtures("debian")
def test_a_package_can_be_installed(tmp_path: Path) -> None:
    """At once where apt knows it; else its lists are read first."""
    install(["good"])
    assert (tmp_path / "state").read_text() == "installed\n"
    install(["fresh-only"])
    assert (tmp_path / "state").read_text() == "renewed\ninstalled\n"
    with pytest.raises(SetupError, match=r"installing the Debian package bad(.|\n)*Unable"):
        install(["bad"])


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The set-up may go on without what the package would have brought."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="apt-get is not on this machine"):
        install(["good"])
    with pytest.raises(SetupError, match="apt-get is not on this machine"):
        unpack(["good"], tmp_path / "into")
