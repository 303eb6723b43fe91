"""Turn models that each break one promise, under their contract."""

from __future__ import annotations

import asyncio
import threading

from antiphon_providers.contract.turn_model import TurnModelContract
from antiphon_providers.scripted import ScriptedTurnModel


def of(twin: type[ScriptedTurnModel], patience_s: float = 2.5) -> type:
    """The contract of a twin, with little patience where it is to be found out."""
    return type(
        "Contract", (TurnModelContract,), {"make": lambda _: twin(), "patience_s": patience_s}
    )


class Fair(ScriptedTurnModel):
    """Breaks none."""


class Percent(ScriptedTurnModel):
    """Counts to a hundred."""

    async def judge(self, pcm: bytes) -> float:
        """A probability of 99."""
        return 100 * await super().judge(pcm)


class Choking(ScriptedTurnModel):
    """Takes it for granted that there is audio."""

    async def judge(self, pcm: bytes) -> float:
        """Fails on none."""
        return await super().judge(pcm) * (len(pcm) / len(pcm))


class Blocking(ScriptedTurnModel):
    """Keeps the event loop from everybody else."""

    async def judge(self, pcm: bytes) -> float:
        """Computes there and then."""
        threading.Event().wait(0.3)
        return await super().judge(pcm)


class Stubborn(ScriptedTurnModel):
    """Does not hear that nobody wants to know any more."""

    async def judge(self, pcm: bytes) -> float:
        """Answers all the same."""
        try:
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            return 0.5
        return await super().judge(pcm)


class Single(ScriptedTurnModel):
    """Answers one question at a time."""

    busy = False

    async def judge(self, pcm: bytes) -> float:
        """Fails while another is answered."""
        if self.busy:
            raise RuntimeError("busy")
        self.busy = True
        try:
            return await super().judge(pcm)
        finally:
            self.busy = False


TestSound = of(Fair, patience_s=60)
TestPercent = of(Percent)
TestChoking = of(Choking)
TestBlocking = of(Blocking)
TestStubborn = of(Stubborn)
TestSingle = of(Single)
