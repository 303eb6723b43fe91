"""A call as its conversation saw it: every event and every command, one JSON line each.

Because ``machine.step`` is pure, a journal replays any call bit for bit (``antiphon replay``).
It holds what was said, so an operator must ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, Union

import msgspec
from msgspec import Struct

from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import State

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


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Step).decode


class Journal:
    """The journal of one call. ``now`` gives seconds that never run backwards."""

    def __init__(self, file: JournalFile, now: Callable[[], float]) -> None:
        self._file = file
        self._now = now
        self._began = now()
        self._manners: Manners | None = None

    def stepped(self, event: v.Event, manners: Manners, commands: tuple[v.Command, ...]) -> None:
        """The conversation took one step."""
        changed = None if manners == self._manners else manners
        self._manners = manners
        at = round(self._now() - self._began, 6)
        self._file.write(_encode(Step(at, event, commands, changed)) + b"\n")

    def close(self) -> None:
        """The call is over."""
        self._file.close()


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
    """A journal's file, written line by line; opened for one session."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")

    def write(self, line: bytes) -> None:
        """One line, out of the process at once."""
        self._file.write(line.decode())
        self._file.flush()

    def close(self) -> None:
        """No more lines."""
        self._file.close()
