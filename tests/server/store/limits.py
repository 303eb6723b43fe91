"""A disk that takes no more, for tests: the limit of a file's size, and of a folder's."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """In this process no file grows beyond `size` bytes: a write is cut short, the next fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def taken(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def full_disk(folder: Path, size: int) -> Iterator[None]:
    """What this process writes fails as on a full disk, once the files of a folder have so many
    bytes together.
    """
    write = os.write

    def limited(file: int, data: Any, /) -> int:
        left = size - taken(folder)
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[:left])

    os.write = limited
    try:
        yield
    finally:
        os.write = write
