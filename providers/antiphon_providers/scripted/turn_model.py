"""Turn detection that answers what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from antiphon_providers.errors import Unavailable
from antiphon_providers.scripted.desk import Closed, Desk, Fault


class TurnModelScript(Struct, frozen=True, forbid_unknown_fields=True):
    """How the scripted turn model behaves."""

    probabilities: Annotated[
        str, Meta(description="Answers in turn, separated by commas; the last is repeated.")
    ] = "0.99"
    delay_ms: Annotated[float, Meta(ge=0, description="Milliseconds to each answer.")] = 0
    fault: Annotated[str, Meta(description="See `Fault.parse`; each question is a stream.")] = ""

    def __post_init__(self) -> None:
        Fault.parse(self.fault)
        if not all(0 <= answer <= 1 for answer in self.answers()):
            raise ValueError(f"probabilities are from 0 to 1, not '{self.probabilities}'")

    def answers(self) -> tuple[float, ...]:
        """The probabilities as numbers. Raises ``ValueError``."""
        return tuple(float(answer) for answer in self.probabilities.split(","))


class ScriptedTurnModel:
    """Gives its probabilities one after the other, whatever it hears.

    ``judge`` in the constructor replaces them: from the PCM asked about to a probability.
    """

    Options = TurnModelScript
    name = "scripted"

    def __init__(
        self,
        options: TurnModelScript | None = None,
        *,
        judge: Callable[[bytes], float] | None = None,
    ) -> None:
        self.options = options or TurnModelScript()
        self.desk = Desk(self.name, Fault.parse(self.options.fault))
        self._judge = judge
        self._answers = self.options.answers()
        self._next = 0

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Questions that wait for their answer fail with ``Unavailable``."""
        self.desk.shut()

    async def judge(self, pcm: bytes) -> float:
        """The next probability, after the delay; 0 when scripted to be empty."""
        due = asyncio.get_running_loop().time() + self.options.delay_ms / 1000
        with self.desk.stream() as stream:
            try:
                await stream.open()
                await stream.result(due)
            except Closed:
                raise Unavailable("the turn model was closed", provider=self.name) from None
            if stream.empty:
                return 0.0
            return self._judge(pcm) if self._judge else self._told()

    def _told(self) -> float:
        answer = self._answers[min(self._next, len(self._answers) - 1)]
        self._next += 1
        return answer
