"""One file of a spool: lines of JSON, each a record of a session."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from antiphon_server.call.records import AnyRecord


class Line(Struct, frozen=True):
    """One line of a segment."""

    session_id: str
    record: AnyRecord


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """A line with its end. Raises ``ValueError`` or ``TypeError`` for what JSON cannot hold."""
    return _encoder.encode(line) + b"\n"


def decode(text: bytes) -> Line:
    """A line as it was written. Raises ``ValueError`` for one that is damaged."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError) as damaged:
        raise ValueError("not a line of the spool") from damaged


class Segment:
    """One file: one thread appends, another one reads. All its lines are whole but perhaps the
    last one of a process that died.
    """

    def __init__(self, path: Path, *, is_new: bool) -> None:
        """Opens a file, or makes a new one. Raises ``OSError``."""
        flags = os.O_CREAT | os.O_EXCL | os.O_APPEND if is_new else 0
        self._path = path
        # Kept open, so that whoever deletes the folder of a running server deletes no record.
        self._file = os.open(path, os.O_RDWR | flags, 0o600)
        self.born = time.monotonic()
        """Seconds of the monotonic clock."""
        self.written = os.fstat(self._file).st_size
        """Bytes that are durable."""
        self.applied = 0
        """Bytes that whoever reads has done with."""
        self.is_complete = not is_new
        """Nothing will be appended any more."""

    def append(self, lines: bytes, *, fsync: bool) -> None:
        """Writes whole lines. Raises ``OSError``, and then none of them count."""
        left = memoryview(lines)
        try:
            while left:
                left = left[os.write(self._file, left) :]
            if fsync:
                os.fdatasync(self._file)
        except OSError:
            self._cut()
            raise
        self.written += len(lines)

    def read(self, most: int) -> bytes:
        """What follows ``applied``: whole lines of about ``most`` bytes, but at least one.

        Empty where no whole line follows.
        """
        while True:
            left = self.written - self.applied
            chunk = os.pread(self._file, min(most, left), self.applied)
            end = chunk.rfind(b"\n") + 1
            if end or most >= left:
                return chunk[:end]
            most *= 2

    def remove(self) -> None:
        """Deletes the file."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leaves the file to whoever comes next."""
        os.close(self._file)

    def _cut(self) -> None:
        """Takes half a batch back, so that nothing is appended to half a line."""
        try:
            os.ftruncate(self._file, self.written)
        except OSError:
            self.is_complete = True
