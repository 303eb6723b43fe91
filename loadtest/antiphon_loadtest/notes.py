"""What callers note down in a process of their own, and how it reaches the one that reports."""

from __future__ import annotations

import time
from collections import Counter

from msgspec import Struct, field

from antiphon_loadtest.figures import rank

Sample = tuple[str, float, float, int]
"""What was measured, when (``time.monotonic``), how many ms, and how many callers were in a call
in this process at the time."""


class Health(Struct, frozen=True):
    """How the load tool itself did in one interval.

    ``lag_ms`` is the 99th percentile by which its clock was late, ``cpu`` the share of a core it
    used, ``late`` frames that it sent more than a frame too late, ``sent`` all of them.
    """

    lag_ms: float = 0.0
    cpu: float = 0.0
    late: int = 0
    sent: int = 0


class Batch(Struct):
    """One interval of one worker: ``at`` its end, ``in_call`` and ``connecting`` callers then."""

    worker: int
    at: float
    in_call: int
    connecting: int
    samples: list[Sample]
    counts: Counter[str]
    errors: Counter[str]
    health: Health


class Notes(Struct):
    """What is noted since the last ``batch``.

    ``counts`` are ``calls``, ``turns``, ``pieces`` (of sound heard), ``late`` pieces, ``gap_ms``
    of silence where there should be sound, ``blocked`` frames that the network did not take,
    ``cut_in`` answers that began before the caller had finished, ``tools`` called.
    """

    in_call: int = 0
    connecting: int = 0
    samples: list[Sample] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    sent: int = 0
    late: int = 0
    _cpu: float = field(default_factory=time.process_time)
    _since: float = field(default_factory=time.monotonic)

    def measured(self, kind: str, ms: float) -> None:
        """Something took so long."""
        self.samples.append((kind, time.monotonic(), ms, self.in_call))

    def batch(self, worker: int) -> Batch:
        """All since the last one."""
        now, cpu = time.monotonic(), time.process_time()
        health = Health(
            lag_ms=1000 * rank(self.lags, 0.99) if self.lags else 0.0,
            cpu=(cpu - self._cpu) / max(1e-6, now - self._since),
            late=self.late,
            sent=self.sent,
        )
        batch = Batch(
            worker, now, self.in_call, self.connecting, self.samples, self.counts, self.errors,
            health,
        )  # fmt: skip
        self.samples, self.counts, self.errors, self.lags = [], Counter(), Counter(), []
        self.sent = self.late = 0
        self._cpu, self._since = cpu, now
        return batch
