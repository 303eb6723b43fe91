"""All that was noted in a run, put together from the batches of its workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

from antiphon_loadtest.notes import Batch, Health, Sample
from antiphon_loadtest.server_watch import Spent

LAG_MS = 20.0
"""A clock of our own that is later than a frame makes a server look slow."""
BUSY = 0.85
"""Share of a core above which a worker has no time left for what comes at once."""
LATE_SHARE = 0.001


class Moment(Struct, frozen=True):
    """One batch's time on the run's own clock, in seconds, with the callers of all workers."""

    at: float
    callers: int
    connecting: int
    lag_ms: float
    cpu: float
    errors: int


class Record(Struct):
    """A run. ``began_at`` is ``time.monotonic`` of its second 0; the samples' load is that of
    all workers. ``measure_from_s`` leaves out what came before: the time in which a load builds
    up.
    """

    callers: int
    workers: int
    began_at: float
    measure_from_s: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    moments: list[Moment] = field(default_factory=list)
    health: dict[int, list[Health]] = field(default_factory=dict)
    spent: list[Spent] = field(default_factory=list)
    idle: Spent | None = None
    interrupted: bool = False
    _latest: dict[int, Batch] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        """Takes what one worker noted in one interval."""
        self._latest[batch.worker] = batch
        in_call = sum(one.in_call for one in self._latest.values())
        others = in_call - batch.in_call
        measured = batch.at - self.began_at >= self.measure_from_s
        if measured:
            self.samples += [(kind, at, ms, load + others) for kind, at, ms, load in batch.samples]
            self.counts.update(batch.counts)
            self.errors.update(batch.errors)
            self.health.setdefault(batch.worker, []).append(batch.health)
        self.moments.append(
            Moment(
                at=batch.at - self.began_at,
                callers=in_call,
                connecting=sum(one.connecting for one in self._latest.values()),
                lag_ms=batch.health.lag_ms,
                cpu=batch.health.cpu,
                errors=batch.errors.total() if measured else 0,
            )
        )

    def numbers(self, kind: str) -> list[float]:
        """Milliseconds measured of one kind."""
        return [ms for name, _, ms, _ in self.samples if name == kind]

    @property
    def attempts(self) -> int:
        """What could go wrong: calls, and turns in them."""
        return self.counts["calls"] + self.counts["asked"]

    @property
    def mean_callers(self) -> float:
        """In a call at a time, while it was measured."""
        return _mean(moment.callers for moment in self.moments if moment.at >= self.measure_from_s)

    @property
    def cpu_ms(self) -> float | None:
        """The server's CPU for one session of one second, in ms."""
        spent = [one for one in self.spent if one.at - self.began_at >= self.measure_from_s]
        if len(spent) < 2 or not self.mean_callers:  # noqa: PLR2004 - a difference needs two
            return None
        seconds = spent[-1].at - spent[0].at
        return 1000 * (spent[-1].cpu_s - spent[0].cpu_s) / max(1e-6, seconds) / self.mean_callers

    @property
    def memory_mb(self) -> float | None:
        """What the server's memory grew by for each session, at most, in MB."""
        most = max((moment.callers for moment in self.moments), default=0)
        if self.idle is None or not self.spent or not most:
            return None
        return max(0.0, max(one.memory for one in self.spent) - self.idle.memory) / 1e6 / most

    @property
    def bottleneck(self) -> list[str]:
        """Why the load tool itself cannot be trusted; empty where it can."""
        said: list[str] = []
        for worker, health in sorted(self.health.items()):
            # The first intervals import and connect: what counts is what went on.
            cpu, lag = _mean(one.cpu for one in health), _mean(one.lag_ms for one in health)
            sent, late = sum(one.sent for one in health), sum(one.late for one in health)
            if cpu > BUSY:
                said.append(f"worker {worker} used {100 * cpu:.0f} % of a core")
            if lag > LAG_MS:
                said.append(f"worker {worker}'s own clock was {lag:.0f} ms late")
            if sent and late / sent > LATE_SHARE:
                said.append(f"worker {worker} sent {100 * late / sent:.1f} % of its frames late")
        return said


def _mean(numbers: Iterable[float]) -> float:
    known = list(numbers)
    return sum(known) / len(known) if known else 0.0
