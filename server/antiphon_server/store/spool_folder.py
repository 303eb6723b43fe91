"""Which process owns which files of a spool folder, also after processes died.

Each run of a server holds a lock on ``RUN.lock`` for as long as it lives; its records are in
``RUN.00000001.jsonl`` and so on. The lock of a run that died is free: whoever takes it owns what
it left. Servers that share a folder never touch the files of one that lives.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"
SEGMENT = ".jsonl"
GATE = "gate"
"""A file that is locked while locks are made and looked for."""
LONGEST_NODE = 40


class Claim:
    """A run whose lock is held; ``name`` is what its sessions have as their node."""

    def __init__(self, folder: Path, name: str, lock: int) -> None:
        self.folder = folder
        self.name = name
        self._lock = lock

    def segment(self, number: int) -> Path:
        """Where the segment of a number is, the first being 1."""
        return self.folder / f"{self.name}.{number:08}{SEGMENT}"

    def segments(self) -> list[Path]:
        """The segments there are, oldest first."""
        numbered = re.compile(re.escape(self.name) + r"\.\d{8}" + re.escape(SEGMENT))
        return sorted(path for path in self.folder.iterdir() if numbered.fullmatch(path.name))

    def release(self, *, is_done: bool) -> None:
        """Gives the run up; one that is not done is for the next who looks for dead runs."""
        if is_done:
            (self.folder / (self.name + LOCK)).unlink(missing_ok=True)
        os.close(self._lock)


def claim(folder: Path, node: str) -> tuple[Claim, list[Claim]]:
    """A new run's own claim, and those of every run that died. Raises ``OSError``.

    ``node`` names the machine or container, for people.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _gate(folder):
        dead = [found for name in _runs(folder) if (found := _take(folder, name)) is not None]
        own = _take(folder, _new_name(node))
    if own is None:  # The name is new, so nobody else can have it.
        raise BlockingIOError(f"a lock in {folder} is held that was made just now")
    return own, dead


def _new_name(node: str) -> str:
    place = re.sub(r"[^A-Za-z0-9-]", "-", node)[:LONGEST_NODE]
    return f"{place}-{os.getpid()}-{secrets.token_hex(4)}"


def _runs(folder: Path) -> list[str]:
    """The runs that left a lock, or a segment whose lock somebody deleted."""
    names = {path.name.removesuffix(LOCK) for path in folder.glob(f"*{LOCK}")}
    names |= {path.name.rsplit(".", 2)[0] for path in folder.glob(f"*.????????{SEGMENT}")}
    return sorted(names)


def _take(folder: Path, name: str) -> Claim | None:
    """The claim of a run, made if need be; None while a living process holds it."""
    lock = os.open(folder / (name + LOCK), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return Claim(folder, name, lock)


@contextmanager
def _gate(folder: Path) -> Iterator[None]:
    """Between making a lock file and locking it, another process would take it for a dead one's."""
    gate = os.open(folder / GATE, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)
