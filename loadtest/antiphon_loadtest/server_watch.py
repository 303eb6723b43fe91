"""What the server spends: from /proc for a process of this machine, or from its metrics page."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from antiphon.errors import AntiphonError

METRICS_S = 2.0
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_CPU = "process_cpu_seconds_total"
_MEMORY = "process_resident_memory_bytes"


class Unwatchable(AntiphonError):
    """The server's CPU and memory cannot be read there; the text says why."""


class Spent(Struct, frozen=True):
    """CPU seconds since the server began, and the bytes it holds, at a ``time.monotonic``."""

    at: float
    cpu_s: float
    memory: float


Watch = Callable[[], Spent]
"""Reads it now; raises ``Unwatchable``."""


def process(pid: int) -> Watch:
    """Of a process and all its descendants. Raises ``Unwatchable`` where there is none."""

    def read() -> Spent:
        cpu = memory = 0.0
        for one in _family(pid):
            try:
                fields = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
                pages = Path(f"/proc/{one}/statm").read_text("utf-8").split()[1]
            except (OSError, IndexError):
                if one == pid:
                    raise Unwatchable(f"there is no process {pid} on this machine") from None
                continue
            cpu += (int(fields[11]) + int(fields[12])) / _TICKS
            memory += int(pages) * _PAGE
        return Spent(time.monotonic(), cpu, memory)

    read()
    return read


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text("utf-8").split()]
            except OSError:
                continue
    return found


def metrics(url: str) -> Watch:
    """Of what a Prometheus page calls ``process_cpu_seconds_total`` and
    ``process_resident_memory_bytes``. Raises ``Unwatchable`` where it has neither.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise Unwatchable(f"'{url}' is no address of metrics: write http://HOST:PORT/metrics")

    def read() -> Spent:
        try:
            with urllib.request.urlopen(url, timeout=METRICS_S) as answer:  # noqa: S310 (checked)
                text = answer.read().decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            raise Unwatchable(f"{url} cannot be read: {error}") from error
        return spent_of(text, url)

    read()
    return read


def spent_of(text: str, url: str) -> Spent:
    """What a page of metrics says; samples of several workers are added up."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        name = line.partition(" ")[0].partition("{")[0]
        if name in (_CPU, _MEMORY):
            try:
                values[name] = values.get(name, 0.0) + float(line.rpartition(" ")[2])
            except ValueError:
                continue
    if len(values) < len((_CPU, _MEMORY)):
        raise Unwatchable(f"{url} has no {_CPU} and {_MEMORY}; for a local server: --server-pid")
    return Spent(time.monotonic(), values[_CPU], values[_MEMORY])
