"""A real PostgreSQL for tests: Debian's package, in a temporary folder, on a unix socket.

`tools/set_up.py` sees that the package is there. It is fast and not safe: nothing is synced.
PostgreSQL refuses to be root, so where the tests are root it is somebody else.
"""

import contextlib
import ctypes
import itertools
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path

import psycopg
from psycopg import sql

UNPACKED = Path(sys.prefix) / "lib" / "postgresql"
"""Where the set-up unpacks the package if it is not installed."""
INSTALLED = Path("/")
START_SECONDS = 60
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)

# What makes a server fast and small where its data may be lost.
OPTIONS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "listen_addresses": "",
    "log_timezone": "UTC",
    "shared_buffers": "16MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
}


class PostgresMissing(Exception):
    """PostgreSQL is not on this machine or does not start; the message says what to do."""


def programs() -> Path:
    """Return the folder of `initdb` and `postgres`, of the newest version there is."""
    found = [root.glob("usr/lib/postgresql/*/bin/initdb") for root in (UNPACKED, INSTALLED)]
    whole = [program.parent for program in itertools.chain(*found)]
    if whole:
        return max(whole, key=_version)
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgresMissing(
            "PostgreSQL is not on this machine: scripts/test fetches it where Debian's packages "
            "can be had; elsewhere install version 14 or newer"
        )
    return Path(on_path).resolve().parent


def _version(folder: Path) -> int:
    digits = re.match(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0


class Postgres:
    """One server with databases of its own. `stop` and `start` again keep what is in them."""

    def __init__(self) -> None:
        self._user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="antiphon-postgres-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._lines: deque[str] = deque(maxlen=30)
        self._is_decided = threading.Event()
        self._answers = False
        self._server: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()
        try:
            self._programs = self._for_the_user(programs())
            self._initialise()
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def url(self, name: str = "postgres") -> str:
        """Return the address of a database, as settings take it."""
        return f"postgresql://antiphon@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers; it ends with the thread that starts it."""
        options = [f"--{name}={value}" for name, value in OPTIONS.items()]
        self._is_decided.clear()
        self._answers = False
        self._server = subprocess.Popen(
            [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
            user=self._user,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # Nothing is left running when the tests are killed.
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )
        self._reader = threading.Thread(target=self._read, args=(self._server,), daemon=True)
        self._reader.start()
        self._is_decided.wait(START_SECONDS)
        if not self._answers:
            self.stop()
            raise PostgresMissing("PostgreSQL does not start:\n" + "".join(self._lines))

    def stop(self) -> None:
        """Stop the server at once, cutting every connection."""
        if self._server is None:
            return
        self.resume()
        self._server.send_signal(signal.SIGINT)
        self._server.wait()
        self._reader.join()
        if self._server.stderr is not None:
            self._server.stderr.close()
        self._server = None

    def pause(self) -> None:
        """Have all of it hang: connections stand, new ones are taken, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._server is None:
            return
        self._server.send_signal(number)
        for child in _children(self._server.pid):
            with contextlib.suppress(ProcessLookupError):  # It has ended meanwhile.
                os.kill(child, number)

    def remove(self) -> None:
        """Stop the server and delete all it has."""
        self.stop()
        shutil.rmtree(self.folder)

    def create(self, name: str, *, template: str = "template0") -> str:
        """Create a database as a copy of another; return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.url(name)

    def drop(self, name: str) -> None:
        """Delete a database, cutting its connections."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _for_the_user(self, found: Path) -> Path:
        """Return the programs, or a copy if they lie where only root may look."""
        if self._user is None or is_open(found):
            return found
        copy = self.folder / "programs"
        unneeded = shutil.ignore_patterns("bitcode", "doc", "libLLVM*", "locale", "man")
        shutil.copytree(UNPACKED, copy, symlinks=True, ignore=unneeded)
        copy.chmod(0o755)
        return copy / found.relative_to(UNPACKED)

    def _initialise(self) -> None:
        done = subprocess.run(
            [
                self._programs / "initdb",
                *("-D", self.folder / "data", "-U", "antiphon", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ],
            user=self._user,
            env=self._environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresMissing(f"initdb fails:\n{done.stdout}{done.stderr}")

    def _environment(self) -> dict[str, str]:
        # What was unpacked brings the libraries that the machine lacks.
        roots = [place for place in (UNPACKED, self.folder) if place in self._programs.parents]
        patterns = ("usr/lib/*-linux-*", "programs/usr/lib/*-linux-*")
        folders = [str(found) for root in roots for each in patterns for found in root.glob(each)]
        path = {"LD_LIBRARY_PATH": ":".join(folders)} if folders else {}
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **path}

    def _read(self, server: subprocess.Popen[str]) -> None:
        for line in server.stderr or ():
            self._lines.append(line)
            if "ready to accept connections" in line:
                self._answers = True
                self._is_decided.set()
        self._is_decided.set()  # It has ended.


def _children(parent: int) -> list[int]:
    """The processes that a process has started, by Linux's `/proc`."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue  # It has ended meanwhile.
        if int(text.rpartition(")")[2].split()[1]) == parent:
            found.append(int(status.parent.name))
    return found


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def is_open(folder: Path) -> bool:
    """Tell whether every user may look into a folder."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


def _die_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
