"""Several language models as one that goes on when one of them fails."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Chosen, LanguageModel, Piece, Prompt
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.resilience.attempt import Attempt
from antiphon_providers.resilience.candidates import Candidate, Candidates, Clock
from antiphon_providers.resilience.hedging import HedgeBudget
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.race import HEDGE, Model, Race, Track

KEPT = "kept"
"""Why a conversation is not the first's: another one took it over, earlier."""


class ResilientLanguageModel:
    """Asks candidates in order until one says something useful.

    Nothing is given out before that, so that a failure up to there costs only time; one that
    comes after it is raised, for what was said cannot be taken back, and the conversation goes on
    with another candidate. ``Chosen`` comes first where it is not the preferred candidate that
    writes. A conversation that was taken over after a failure stays where it is; one that a hedge
    won does not.

    Where all are left alone by their breakers ``Unavailable`` is raised at once, with
    ``retry_after_s``; a refusal that is about the request itself (400, 413, 422) is raised at
    once, too.
    """

    name = "resilient"

    def __init__(
        self,
        candidates: Sequence[Candidate[LanguageModel]],
        policy: Policy,
        observer: Observer = SILENT,
        clock: Clock = time.monotonic,
    ) -> None:
        self.candidates = Candidates(candidates, observer, clock)
        self._policy = policy
        self._track = Track(self.candidates, policy, HedgeBudget(policy))
        self._closed = False

    @property
    def observer(self) -> Observer:
        """Who is told; may be replaced."""
        return self.candidates.observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self.candidates.observer = observer

    async def start(self) -> None:
        """Starts all candidates; see ``Candidates.start`` for what is raised."""
        await self.candidates.start()

    async def close(self) -> None:
        """Closes all candidates; running replies end."""
        self._closed = True
        await self.candidates.close()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The reply of the first candidate that begins one. Raises ``ProviderError``."""
        order = self.candidates.in_order(prompt.conversation)
        preferred = next(iter(self.candidates))
        kept = KEPT if order[0] is not preferred else ""
        async with aclosing(self.answer(prompt, order, kept)) as pieces:
            async for piece in pieces:
                yield piece

    async def answer(
        self, prompt: Prompt, order: Sequence[Model], reason: str
    ) -> AsyncGenerator[Piece, None]:
        """The reply, asked for in this order; ``reason`` is why the first is the first, and is
        told with ``Chosen`` unless it is empty. Raises ``ProviderError``.
        """
        race = Race(self._track, order, prompt)
        try:
            winner, why = await race.winner()
            name, model = winner.candidate.name, winner.candidate.model
            if why and why != HEDGE:
                self.candidates.keep(prompt.conversation, winner.candidate)
            chosen = Chosen(name, model, why or reason) if why or reason else None
            async with aclosing(self._written(prompt.conversation, winner, chosen)) as pieces:
                async for piece in pieces:
                    yield piece
        except ProviderError:
            if not self._closed:
                raise
        finally:
            await race.stop()

    async def _written(
        self, conversation: str, winner: Attempt, chosen: Chosen | None
    ) -> AsyncGenerator[Piece, None]:
        """What the winner writes; its candidate is judged by how that ends."""
        candidate, permit = winner.candidate, winner.permit
        judged = False
        try:
            if chosen is not None:
                yield chosen
            async with aclosing(winner.pieces(self._policy.progress_ms / 1000)) as pieces:
                async for piece in pieces:
                    yield piece
            judged = True
            self.candidates.succeeded(candidate, permit, winner.complete_after or winner.seconds)
        except ProviderError as failure:
            judged = True
            self.candidates.failed(candidate, permit, failure)
            self.candidates.avoid(conversation, candidate)
            raise
        finally:
            if not judged:
                self.candidates.served(candidate, permit)
