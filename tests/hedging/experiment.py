"""What hedging saves and what it costs: many requests to models of known latencies.

In virtual time and from a seed, so that everybody gets the same figures. The code measured is
``ResilientLanguageModel`` itself; the models are the scripted one, each of whose replies begins
after a time drawn from a distribution.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from msgspec import Struct

from antiphon_providers.interfaces import LanguageModel, Message, Piece, Prompt, Said
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_providers.scripted.language_model import LanguageModelScript
from hedging.latencies import BROAD, HOSTED, QUICK, Latencies
from virtual_time import run

SEED = 20_261_122
REQUESTS = 10_000
_PATIENT_MS = 60_000
"""No deadline interferes: what is measured is hedging alone."""

_PROMPT = Prompt((Message(role="user", content="Hello?"),))


class Case(Struct, frozen=True):
    """One way to be served: who may be asked, in order, and whether a second one is when the
    first is slow.
    """

    name: str
    latencies: tuple[Latencies, ...]
    hedge: bool


CASES = (
    Case("not hedged", (HOSTED,), hedge=False),
    Case("hedged by itself", (HOSTED,), hedge=True),
    Case("hedged by a quick one", (HOSTED, QUICK), hedge=True),
)
BROAD_CASES = (
    Case("not hedged", (BROAD,), hedge=False),
    Case("hedged by itself", (BROAD,), hedge=True),
    Case("hedged by a quick one", (BROAD, QUICK), hedge=True),
)
"""Where three times as many are slow as may be hedged: a budget of 10 % cannot do much."""


class Outcome(Struct, frozen=True):
    """The times to the first words, in seconds, sorted, and how many calls they took."""

    case: Case
    times: tuple[float, ...]
    calls: int

    def quantile(self, share: float) -> float:
        """By nearest rank."""
        return self.times[max(math.ceil(share * len(self.times)), 1) - 1]

    @property
    def extra(self) -> float:
        """Calls beyond one for each request, per request."""
        return self.calls / len(self.times) - 1

    def cut(self, other: Outcome) -> float:
        """By which share the 95th percentile is below the other's."""
        return 1 - self.quantile(0.95) / other.quantile(0.95)


class Drawn:
    """A scripted model whose replies begin after times drawn from a distribution."""

    name = "drawn"

    def __init__(self, latencies: Latencies, seed: int) -> None:
        self._latencies = latencies
        self._chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self._model = ScriptedLanguageModel(LanguageModelScript(replies="Hello."))

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return self._model.desk.opened

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Running replies end."""
        await self._model.close()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """A word, when it is due."""
        first_ms = self._latencies.draw(self._chance) * 1000
        self._model.options = LanguageModelScript(replies="Hello.", first_token_ms=first_ms)
        async with aclosing(self._model.reply(prompt)) as pieces:
            async for piece in pieces:
                yield piece


def measure(case: Case, requests: int = REQUESTS, seed: int = SEED) -> Outcome:
    """One case's outcome; the same each time."""
    return run(_measure(case, requests, seed), limit_s=math.inf)


def measure_all(requests: int = REQUESTS, cases: Sequence[Case] = CASES) -> list[Outcome]:
    """The outcomes of all cases; the first is the one to compare with."""
    return [measure(case, requests) for case in cases]


async def _measure(case: Case, requests: int, seed: int) -> Outcome:
    policy = Policy(hedge=case.hedge, first_ms=_PATIENT_MS, budget_ms=_PATIENT_MS)
    models = [Drawn(one, seed + number) for number, one in enumerate(case.latencies)]
    candidates: list[Candidate[LanguageModel]] = [
        Candidate(model, policy, name=str(place)) for place, model in enumerate(models)
    ]
    clock = asyncio.get_running_loop().time
    model = ResilientLanguageModel(candidates, policy, clock=clock)
    times = [await _time_to_first(model) for _ in range(requests)]
    return Outcome(case, tuple(sorted(times)), sum(one.calls for one in models))


async def _time_to_first(model: ResilientLanguageModel) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with aclosing(model.reply(_PROMPT)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Said):
                return loop.time() - began
    raise AssertionError("a scripted model says something")


def table(outcomes: Sequence[Outcome]) -> str:
    """The figures for people; milliseconds."""
    first = outcomes[0]
    width = max(len(outcome.case.name) for outcome in outcomes)
    head = f"{'':{width}}     p50     p95     p99   p95 cut   extra calls"
    rows = [
        f"{outcome.case.name:{width}}"
        + "".join(f"{outcome.quantile(share) * 1000:8,.0f}" for share in (0.5, 0.95, 0.99))
        + f"{outcome.cut(first):9.1%}{outcome.extra:13.1%}"
        for outcome in outcomes
    ]
    return "\n".join([head, *rows])
