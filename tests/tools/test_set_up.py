"""The steps of the set-up: one at a time, nothing twice, and clear words when one cannot be done.

The whole set-up runs for real whenever the tests run on a new checkout: it made the environment
they run in.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environment
import set_up
from commands import SetupError

ROOT = Path(__file__).resolve().parents[2]


def test_what_another_process_did_meanwhile_is_not_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stamp is read again under the lock; a checkout that is ready is left as it is."""
    for name in (*environment._COVERED, *environment.LOCKS.values(), environment._SIGN_OF_MODELS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    environment.stamp(tmp_path, "test").write_text(environment.fingerprint(tmp_path, "test"))
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


def test_a_machine_without_debians_packages_is_told_what_its_tests_will_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The set-up goes on: most tests need none."""
    monkeypatch.setattr(set_up, "_INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    set_up._fetch_postgres(tmp_path)
    told = capsys.readouterr().err
    assert "no PostgreSQL here, so the tests that start one will fail. apt-get is not" in told
