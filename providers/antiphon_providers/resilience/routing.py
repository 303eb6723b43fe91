"""One language model that sends each turn to the best of several."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import LanguageModel, Message, Piece, Prompt, Said
from antiphon_providers.observer import Observer
from antiphon_providers.resilience.attempt import closing
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.race import Model
from antiphon_providers.resilience.rules import Ranking, Routing, last_words

_MOST_ANSWER = 200
"""Characters after which a classification is no word."""
_MOST_WORDS_OF_USER = 2_000
"""Characters that are classified, the last ones; the small model must be quick."""


class Router:
    """Chooses who is asked first; ``models`` does the asking, and goes on to the others.

    The first of the rules that fits decides, otherwise the strategy. A candidate that its
    breaker leaves alone is not chosen. ``small`` names the user's last words for rules with
    ``classes``; where it fails or takes too long, those rules do not fit. Each reply begins
    with ``Chosen``, who and why.
    """

    name = "router"

    def __init__(
        self,
        models: ResilientLanguageModel,
        routing: Routing,
        small: LanguageModel | None = None,
    ) -> None:
        names = {model.name for model in models.candidates}
        unknown = {rule.use for rule in routing.rules} | routing.prices.keys()
        if unknown - names:
            raise Refused(
                f"routing names {', '.join(sorted(unknown - names))}; "
                f"there are {', '.join(sorted(names))}",
                provider=self.name,
            )
        if routing.classes and small is None:
            raise Refused("rules with classes need a small model", provider=self.name)
        self._models = models
        self._routing = routing
        self._ranking = Ranking(routing)
        self._small = small

    @property
    def observer(self) -> Observer:
        """Who is told; may be replaced."""
        return self._models.observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self._models.observer = observer

    async def start(self) -> None:
        """Starts all models. That the small one cannot be started now does not matter."""
        await self._models.start()
        if self._small is not None:
            try:
                await self._small.start()
            except ProviderError as failure:
                if not failure.retryable:
                    raise

    async def close(self) -> None:
        """Closes all models; running replies end."""
        try:
            await self._models.close()
        finally:
            if self._small is not None:
                await self._small.close()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The reply of the model chosen, or of the one that took over from it.

        Raises ``ProviderError``.
        """
        order, reason = await self._order(prompt)
        self.observer.chose(order[0].name, reason)
        async with aclosing(self._models.answer(prompt, order, reason)) as pieces:
            async for piece in pieces:
                yield piece

    async def _order(self, prompt: Prompt) -> tuple[list[Model], str]:
        candidates = self._models.candidates
        now = candidates.clock()
        asked = [model for model in candidates if model.breaker.admits(now)]
        # Those left alone come last: by the time it is their turn they may be asked again.
        alone = [model for model in candidates if model not in asked]
        if not asked:
            return alone, "all failed lately"
        chosen = await self._by_rule(asked, prompt)
        ranked, reason = self._ranking.rank(asked, prompt)
        if chosen is not None:
            model, reason = chosen
            ranked = [model, *(other for other in ranked if other is not model)]
        return [*ranked, *alone], reason

    async def _by_rule(self, asked: list[Model], prompt: Prompt) -> tuple[Model, str] | None:
        """Who the first rule that fits wants, and why; the small model is asked once at most."""
        named: str | None = None
        for rule in self._routing.rules:
            model = next((model for model in asked if model.name == rule.use), None)
            if model is None or not rule.fits(prompt):
                continue
            if not rule.classes:
                return model, rule.reason
            if named is None:
                named = await self._classify(prompt)
            if named in rule.classes:
                return model, f"{rule.reason} as {named}"
        return None

    async def _classify(self, prompt: Prompt) -> str:
        """One of the classes; empty where the small model does not say one of them in time."""
        words = last_words(prompt)[-_MOST_WORDS_OF_USER:]
        if not words or self._small is None:
            return ""
        question = (
            "Classify what the user says. Answer with exactly one word out of: "
            f"{', '.join(self._routing.classes)}."
        )
        asking = Prompt(
            (Message(role="system", content=question), Message(role="user", content=words))
        )
        try:
            async with asyncio.timeout(self._routing.classify_ms / 1000):
                return self._class_in(await _text_of(self._small, asking))
        except TimeoutError:
            self.observer.failed(self._small.name, TooSlow.code)
        except Exception as error:  # noqa: BLE001 - its defects must not end the call
            code = error.code if isinstance(error, ProviderError) else Unavailable.code
            self.observer.failed(self._small.name, code)
        return ""

    def _class_in(self, answer: str) -> str:
        """The class that is named first in what the small model said."""
        words = re.findall(r"\w+", answer.lower())
        places = {
            words.index(name.lower()): name
            for name in self._routing.classes
            if name.lower() in words
        }
        return places[min(places)] if places else ""


async def _text_of(model: LanguageModel, prompt: Prompt) -> str:
    """The beginning of what a model says."""
    text = ""
    async with aclosing(closing(model.reply(prompt))) as pieces:
        async for piece in pieces:
            if isinstance(piece, Said):
                text += piece.text
            if len(text) > _MOST_ANSWER:
                break
    return text
