"""A call as its conversation saw it: every event and every command, one JSON line each.

Because ``machine.step`` is pure, a journal replays any call bit for bit (``antiphon replay``).
It holds what was said, so an operator must ask for it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Union

import msgspec
import structlog
from msgspec import Struct

from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import State
from antiphon_server.observe import metrics

if TYPE_CHECKING:
    AnyEvent = v.Event
    AnyCommand = v.Command
else:
    # What is read must be known by its tag.
    AnyEvent = Union[v.EVENTS]  # noqa: UP007
    AnyCommand = Union[v.COMMANDS]  # noqa: UP007


class Step(Struct, frozen=True, omit_defaults=True):
    """One line: what happened, and what was to be done. ``manners`` only where they changed."""

    at: float
    """Seconds of the call's own clock."""
    event: AnyEvent
    commands: tuple[AnyCommand, ...] = ()
    manners: Manners | None = None


class Difference(Struct, frozen=True):
    """The first step at which a replay does otherwise."""

    line: int
    event: v.Event
    recorded: tuple[v.Command, ...]
    replayed: tuple[v.Command, ...]


class Unreadable(Exception):
    """Not a journal; the message says which line and why."""


log = structlog.get_logger()

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Step).decode


class Journal:
    """The journal of one call. ``now`` gives seconds that never run backwards."""

    def __init__(self, file: JournalFile, now: Callable[[], float]) -> None:
        self._file: JournalFile | None = file
        self._now = now
        self._began = now()
        self._manners: Manners | None = None

    def stepped(self, event: v.Event, manners: Manners, commands: tuple[v.Command, ...]) -> None:
        """The conversation took one step. A disk that does not take it costs no call."""
        if self._file is None:
            return
        changed = None if manners == self._manners else manners
        self._manners = manners
        at = round(self._now() - self._began, 6)
        try:
            self._file.write(_encode(Step(at, event, commands, changed)) + b"\n")
        except OSError as failure:
            metrics.JOURNALS_BROKEN.inc()
            log.error("journal broke off", reason=failure.strerror)  # noqa: TRY400 - no fault
            self.close()

    def close(self) -> None:
        """The call is over."""
        if self._file is not None:
            self._file.close()
        self._file = None


def read(lines: Iterable[bytes]) -> Iterable[Step]:
    """The steps of a journal. Raises ``Unreadable``; a last line that was cut off is left out."""
    cut: Unreadable | None = None
    for number, line in enumerate(lines, 1):
        if cut is not None:
            raise cut
        try:
            yield _decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
            cut = Unreadable(f"line {number} is no step of a journal: {wrong}")
            if line.endswith(b"\n"):
                raise cut from wrong


def replay(steps: Iterable[Step]) -> Difference | int:
    """Takes every step again: the first difference, or how many steps were the same."""
    state: State | None = None
    manners = Manners()
    count = 0
    for count, step in enumerate(steps, 1):
        manners = step.manners or manners
        if state is None:
            state, _ = machine.begin(manners)
        state, commands = machine.step(state, step.event, manners)
        if commands != step.commands:
            return Difference(count, step.event, step.commands, commands)
    return count


def journal_path(folder: Path, session_id: str) -> Path:
    """Where a session's journal is."""
    return folder / f"{session_id}.jsonl"


class JournalFile:
    """A journal's file, written line by line; for its owner's eyes only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def write(self, line: bytes) -> None:
        """One line, out of the process at once. Raises ``OSError``."""
        if self._file is None:
            self._file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        written = os.write(self._file, line)
        if written < len(line):
            # A disk that is nearly full takes a part. No line may follow half a one.
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """No more lines."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
