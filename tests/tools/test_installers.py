"""The environment is made from locks with the machine's own pip configuration."""

import sys
import zipfile
from pathlib import Path

import pytest

from commands import SetupError
from installers import (
    add,
    bundled_pip,
    debian_pip,
    install_project,
    make_environment,
    sync,
    uv_settings,
)


def test_settings_of_pip_reach_uv_under_uvs_names() -> None:
    """What uv reads is not pip's configuration, but the machine may have its index only there."""
    settings = uv_settings(
        "global.index-url='file:///mirror/simple'\n"
        "global.find-links='/wheels\\n/more'\n"
        "install.trusted-host='mirror.test'\n"
        "global.cert='/etc/authorities.pem'\n"
        "global.proxy='http://proxy.test:3128'\n"
    )
    expected = {
        "UV_DEFAULT_INDEX": "file:///mirror/simple",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "mirror.test",
        "SSL_CERT_FILE": "/etc/authorities.pem",
        "ALL_PROXY": "http://proxy.test:3128",
    }
    assert expected.items() <= settings.items()


def test_a_variable_of_the_environment_wins_over_a_file() -> None:
    """As with pip itself, which lists both."""
    printed = ":env:.index-url='file:///mine'\nglobal.index-url='file:///theirs'\n"
    assert uv_settings(printed)["UV_DEFAULT_INDEX"] == "file:///mine"


def test_an_extra_index_is_left_to_pip() -> None:
    """Uv takes all files of a version from one index; one of them may have but the plain wheel."""
    assert uv_settings("global.extra-index-url='file:///a file:///b'\n") == uv_settings("")


def test_a_machine_with_nothing_configured_keeps_uvs_own_index() -> None:
    """No address is ever chosen by us."""
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX"} & uv_settings("").keys()


@pytest.mark.parametrize(
    "line", ["", "=", "index-url", "global.index-url=", "global.index-url='open", "x.y='z'"]
)
def test_a_line_that_is_no_setting_is_passed_over(line: str) -> None:
    """The output of pip is made for people; what it may add there must not stop a set-up."""
    assert uv_settings(line) == uv_settings("")


def test_a_bundled_pip_is_a_wheel_that_exists_or_none() -> None:
    """Debian without python3-venv has none; elsewhere it lies beside Python."""
    pip = bundled_pip()
    assert pip is None or (pip.is_file() and pip.suffix == ".whl")


def test_a_machine_with_no_pip_at_all_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Python nor apt can give one: the message has the way out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="apt-get install python3-venv"):
        debian_pip(tmp_path)


def test_an_environment_is_made_without_pip_and_gets_it_from_a_wheel(tmp_path: Path) -> None:
    """The wheel runs in the new environment's Python, held to the hashes of the lock."""
    wheel = tmp_path / "pip-0-py3-none-any.whl"
    report = (
        "import pathlib, sys\npathlib.Path(sys.prefix, 'words').write_text(' '.join(sys.argv))\n"
    )
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip/__main__.py", report)
    make_environment(tmp_path / "venv", tmp_path / "bootstrap.txt", wheel)
    words = (tmp_path / "venv/words").read_text().split()
    options = ["--quiet", "--require-hashes", "--only-binary=:all:"]
    assert words[1:] == ["install", *options, "-r", str(tmp_path / "bootstrap.txt")]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An environment whose uv always fails and whose pip is the one that runs the tests."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (venv / "bin/uv").write_text("#!/bin/sh\necho uv cannot >&2\nexit 2\n")
    for program in (venv / "bin").iterdir():
        program.chmod(0o755)
    return venv


def test_pip_installs_what_uv_cannot(tmp_path: Path, bare: Path) -> None:
    """An empty lock is enough to see that pip was asked and its success counts."""
    (tmp_path / "lock.txt").write_text("# Nothing.\n")
    sync(bare, [tmp_path / "lock.txt"])


def test_the_words_of_both_are_told_when_neither_can(tmp_path: Path, bare: Path) -> None:
    """The first line is about pip, the last resort; uv's trouble follows."""
    (tmp_path / "lock.txt").write_text("no-such-package-here==1\n")  # No hash: refused unasked.
    with pytest.raises(SetupError, match=r"^installing(.|\n)*uv failed too(.|\n)*uv cannot"):
        sync(bare, [tmp_path / "lock.txt"])


def test_what_is_added_is_installed_by_hash(tmp_path: Path, bare: Path) -> None:
    """Beside what is there; a lock without hashes is refused."""
    (tmp_path / "lock.txt").write_text("# Nothing.\n")
    add(bare, tmp_path / "lock.txt")
    (tmp_path / "lock.txt").write_text("no-such-package-here==1\n")
    with pytest.raises(SetupError, match="installing what is needed besides"):
        add(bare, tmp_path / "lock.txt")


def test_a_folder_that_is_no_project_is_not_installed(tmp_path: Path, bare: Path) -> None:
    """The error names the deed."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(SetupError, match="installing the project"):
        install_project(bare, tmp_path / "empty")
