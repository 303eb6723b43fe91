"""Where the records of a simulated call go: nowhere, after a while."""

from __future__ import annotations

import asyncio
import random

from antiphon_server.call.records import AnyRecord
from antiphon_server.store.spool import Unrecorded
from simulation.plan import Pace, Plan

_SECONDS: dict[Pace, tuple[float, ...]] = {
    "fast": (0.0,),
    "steady": (0.001, 0.01, 0.03),
    "slow": (0.01, 0.05, 0.2, 0.6),
    "failing": (0.0, 0.02),
}
_FAILS = 0.2
"""How often a failing recorder fails."""


class PacedRecorder:
    """A disk that takes its time: records become durable in order."""

    def __init__(self, plan: Plan) -> None:
        self._pace = plan.recorder
        self._dice = random.Random(f"{plan.seed} recorder")  # noqa: S311
        self._busy_until = 0.0

    def record(self, _session_id: str, _record: AnyRecord) -> asyncio.Future[None]:
        """As ``Recorder.record``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        seconds = self._dice.choice(_SECONDS[self._pace])
        fails = self._pace == "failing" and self._dice.random() < _FAILS
        self._busy_until = max(self._busy_until, loop.time() + seconds)
        if self._busy_until <= loop.time():
            _settle(future, fails=fails)
        else:
            loop.call_at(self._busy_until, lambda: _settle(future, fails=fails))
        return future


def _settle(future: asyncio.Future[None], *, fails: bool) -> None:
    if fails:
        future.set_exception(Unrecorded("the disk of the simulation is full"))
        future.exception()  # As the spool's: whoever does not ask need not know.
    else:
        future.set_result(None)
