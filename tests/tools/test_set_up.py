"""The steps of the set-up: one at a time, nothing twice, and clear words when one cannot be done.

The whole set-up runs for real whenever the tests run on a new checkout: it made the environment
they run in.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environment
import set_up
import web_sources
from commands import SetupError

ROOT = Path(__file__).resolve().parents[2]


def _set_up(checkout: Path, level: str) -> None:
    """A checkout that is set up to `level`, as far as the stamp can tell, but for its pages."""
    for name in (*environment._COVERED, *environment.LOCKS.values(), environment._SIGN_OF_MODELS):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    environment.stamp(checkout, level).write_text(environment.fingerprint(checkout, level))


def _sources(checkout: Path) -> None:
    """The sources of a small page, with the packages that this checkout has."""
    (checkout / "tools").mkdir(exist_ok=True)
    for name in ("web.py", "web_sources.py"):
        shutil.copy(ROOT / "tools" / name, checkout / "tools" / name)
    pages = checkout / web_sources.WEB
    (pages / "console").mkdir(parents=True)
    (pages / "console.html").write_text("<head></head>")
    (pages / "console/main.js").write_text("alert('hello')")
    shutil.copy(ROOT / web_sources.LOCK, checkout / web_sources.LOCK)
    (pages / "node_modules").symlink_to(ROOT / web_sources.WEB / "node_modules")
    (checkout / ".cache").mkdir(exist_ok=True)


def test_what_another_process_did_meanwhile_is_not_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stamp is read again under the lock; a checkout that is ready is left as it is."""
    _set_up(tmp_path, "test")
    _sources(tmp_path)
    (tmp_path / web_sources.BUILT).mkdir()
    web_sources.note(tmp_path / web_sources.BUILT, web_sources.fingerprint(tmp_path))
    set_up.set_up(tmp_path, "test")
    assert environment.stamp(tmp_path, "test").exists()
    assert capsys.readouterr().err == ""


def test_a_second_set_up_waits_for_the_first(tmp_path: Path) -> None:
    """It says so, and goes on when the lock is free."""
    code = (
        "import sys; from pathlib import Path; import set_up\n"
        "with set_up._alone(Path(sys.argv[1])): print('mine')"
    )
    (tmp_path / ".cache").mkdir()
    with (tmp_path / ".cache/set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=ROOT / "tools",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        assert "waiting for another" in second.stderr.readline()
    printed, _ = second.communicate(timeout=30)
    assert printed == "mine\n"


def test_a_checkout_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the path, as a sentence and not a traceback."""
    (tmp_path / ".cache").write_text("a file where a folder should be")
    with pytest.raises(SetupError, match=r"\.cache.* cannot be written"):
        set_up.set_up(tmp_path, "serve")


def test_a_disk_too_small_is_told_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is free and what is needed; a checkout that has .venv already may go on."""
    monkeypatch.setattr(set_up, "_DISK_NEEDED_BYTES", 10**18)
    with pytest.raises(SetupError, match="GB free, and 1000000000 are needed"):
        set_up._require_disk(tmp_path)
    (tmp_path / ".venv").mkdir()
    set_up._require_disk(tmp_path)


def test_an_environment_without_a_python_that_runs_has_no_installers(tmp_path: Path) -> None:
    """As after an upgrade of the system's Python: it is made anew."""
    assert not set_up._has_installers(tmp_path)
    assert set_up._has_installers(Path(sys.prefix))


def test_a_voice_library_that_is_no_library_does_not_load(tmp_path: Path) -> None:
    """A broken download is not taken for a voice."""
    (tmp_path / "libflite.so.1").write_text("not a library")
    assert not set_up._flite_loads(Path(sys.executable), tmp_path)


def test_a_machine_without_debians_packages_goes_on_without_the_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says why, and is no error; another voice speaks."""
    monkeypatch.setenv("PATH", str(tmp_path))
    set_up._unpack_voice(tmp_path / "flite")
    assert "no Flite voice here. apt-get is not on this machine" in capsys.readouterr().err
    assert not (tmp_path / "flite").exists()


def test_a_voice_that_cannot_be_had_is_told_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line says what speaks instead. Here even the environment's Python is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    set_up._fetch_voice(tmp_path)
    assert capsys.readouterr().err.endswith("so espeak will speak instead\n")


def test_a_postgresql_that_is_there_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Be it unpacked before, or on the path."""
    monkeypatch.setattr(set_up, "_INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", "")
    folder = tmp_path / ".venv/lib/postgresql"
    assert not set_up._has_postgres(folder)
    program = folder / "usr/lib/postgresql/15/bin/initdb"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert set_up._has_postgres(folder)
    set_up._fetch_postgres(tmp_path)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("PATH", str(program.parent))
    assert set_up._has_postgres(tmp_path / "elsewhere")


def test_a_promtool_that_is_there_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Be it unpacked before, or on the path; where it cannot be had, that is told."""
    monkeypatch.setenv("PATH", "")
    set_up._fetch_promtool(tmp_path)
    assert "no promtool here, so the tests that ask it will fail" in capsys.readouterr().err
    program = tmp_path / ".venv/lib/prometheus/usr/bin/promtool"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    set_up._fetch_promtool(tmp_path)
    monkeypatch.setenv("PATH", str(program.parent))
    set_up._fetch_promtool(tmp_path / "elsewhere")
    assert capsys.readouterr().err == ""


def test_a_machine_without_debians_packages_is_told_what_its_tests_will_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The set-up goes on: most tests need none."""
    monkeypatch.setattr(set_up, "_INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    set_up._fetch_postgres(tmp_path)
    told = capsys.readouterr().err
    assert "no PostgreSQL here, so the tests that start one will fail. apt-get is not" in told


def test_a_server_without_web_pages_is_told_so_and_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where there is no Node, and none can be had: calls need none. Tests need the pages."""
    _sources(tmp_path)
    (tmp_path / web_sources.WEB / "node_modules").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    set_up._build_pages(tmp_path, "serve")
    told = capsys.readouterr().err
    assert "fetching Node for that, for there is no Node 22 or newer" in told
    assert "antiphon: no web pages here. " in told
    with pytest.raises(SetupError):
        set_up._build_pages(tmp_path, "test")


def test_pages_are_bundled_again_without_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After an edit of a page a start takes a second more, and no package is looked at."""
    _set_up(tmp_path, "serve")
    _sources(tmp_path)
    set_up.set_up(tmp_path, "serve")
    assert capsys.readouterr().err == "antiphon: bundling the web pages\nantiphon: ready\n"
    assert web_sources.are_built(tmp_path)
    set_up.set_up(tmp_path, "serve")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("user", [0, 1_000])
def test_a_machine_without_a_browser_is_told_what_its_tests_will_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], user: int
) -> None:
    """Root of a Debian gets it; here root has no Debian, and another user may not install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    set_up._install_browser()
    told = capsys.readouterr().err
    assert "no Chromium here, so the tests of the web pages will fail. " in told
    assert ("As root, apt-get install chromium brings it" in told) is (user != 0)


def test_a_browser_that_is_there_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the path, however it came there."""
    (tmp_path / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    set_up._install_browser()
    assert capsys.readouterr().err == ""
