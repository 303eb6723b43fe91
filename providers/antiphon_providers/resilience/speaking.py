"""One reply, spoken by as many voices as it takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from msgspec import Struct

from antiphon_providers.errors import ProviderError, TooSlow
from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions
from antiphon_providers.resilience.candidates import Candidates, failure_of
from antiphon_providers.resilience.hedging import HedgeBudget
from antiphon_providers.resilience.performance import Performance, Voice
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.recital import Patience, Recital
from antiphon_providers.resilience.script import Script
from antiphon_providers.resilience.spoken_sentence import Pace, SpokenSentence
from antiphon_providers.resilience.voice_hedge import VoiceHedge


class Stage(Struct, frozen=True):
    """What all replies of one wrapper share. ``rate`` is that of the PCM wanted."""

    candidates: Candidates[TextToSpeech]
    policy: Policy
    rate: int
    budget: HedgeBudget


class Speaking:
    """Goes through the sentences; ``sounds`` may be called once."""

    def __init__(self, stage: Stage, options: VoiceOptions) -> None:
        self._candidates, self._policy = stage.candidates, stage.policy
        self._stage = stage
        self._options = options
        self._order = stage.candidates.in_order(options.conversation)
        self._pace = Pace()
        self._number = 0
        """Of the first sentence that has not ended."""
        self._sentence: SpokenSentence | None = None
        """That one, if it broke off."""
        self._asked: set[Voice] = set()
        self._all: list[Performance] = []
        self._wasted_s = 0.0
        """For which voices were waited for that said nothing."""

    async def sounds(self, sentences: AsyncIterator[str]) -> AsyncGenerator[Sound, None]:
        """All sound of the reply. Raises ``ProviderError``, and what the sentences raise."""
        script = Script(sentences)
        try:
            async with aclosing(self._spoken(script)) as spoken:
                async for sound in spoken:
                    yield sound
        finally:
            for performance in self._all:
                performance.cancel()
                self.let_go(performance)
            await Performance.gone(self._all)
            await script.close()

    # --- voices --------------------------------------------------------------------------

    def begin(self, script: Script) -> Performance | None:
        """The next voice that may be asked goes to work; None if there is none."""
        for candidate in self._order:
            permit = None if candidate in self._asked else self._candidates.ask(candidate)
            if permit is None:
                continue
            self._asked.add(candidate)
            patience = Patience(self._first_s(), self._policy.progress_ms / 1000)
            recital = Recital(candidate.provider, self._stage.rate, patience, self._pace)
            recital.begin_with(self._number, self._sentence)
            performance = Performance(candidate, permit, recital)
            self._all.append(performance)
            performance.begin(script, self._options)
            return performance
        return None

    def lost(self, performance: Performance) -> ProviderError:
        """The voice failed: what with."""
        candidate, recital = performance.candidate, performance.recital
        assert performance.failure is not None  # noqa: S101 - for the type checker
        failure = failure_of(performance.failure, candidate)
        permit, performance.permit = performance.permit, None
        if permit is not None:
            if isinstance(failure, TooSlow) and recital.waited_s is None:
                candidate.latency.add(recital.idle_s)
            self._candidates.failed(candidate, permit, failure)
        return failure

    def let_go(self, performance: Performance) -> None:
        """The rest is not wanted. One that had its time and said nothing has failed."""
        candidate, recital = performance.candidate, performance.recital
        permit, performance.permit = performance.permit, None
        if permit is None:
            return
        if recital.waited_s is not None:
            self._candidates.served(candidate, permit)
        elif recital.is_due_s >= self._policy.first_ms / 1000:
            late = TooSlow("the voice made no sound in time", provider=candidate.name)
            self._candidates.failed(candidate, permit, late)
        else:
            self._candidates.abandoned(candidate, permit)

    def hedged(self, performance: Performance, *, won: bool | None) -> None:
        """A second voice was asked (None), and later how that ended."""
        self._candidates.observer.hedged(performance.candidate.name, won=won)

    def _first_s(self) -> float:
        """Seconds that the voice which was asked last has for its first sound."""
        now = self._candidates.clock()
        others = [one for one in self._order if one not in self._asked]
        first_s = self._policy.first_ms / 1000
        if any(one.breaker.admits(now) for one in others):
            return first_s
        return max(first_s, self._policy.budget_ms / 1000 - self._wasted_s)

    # --- the reply -----------------------------------------------------------------------

    async def _spoken(self, script: Script) -> AsyncGenerator[Sound, None]:
        failure: ProviderError | None = None
        failed = ""
        while True:
            performance = self.begin(script)
            if performance is None:
                raise failure or self._candidates.nobody("voice")
            if failure is not None:
                self._took_over(failed, performance, failure)
            else:
                performance = await self._hedged(performance, script)
            try:
                async with aclosing(self._performed(performance)) as sounds:
                    async for sound in sounds:
                        yield sound
            except Exception:  # noqa: BLE001 - whatever it was, another voice may speak
                if script.failure is not None:
                    raise script.failure from None
                failure, failed = self.lost(performance), performance.candidate.name
            else:
                return
            for sound in self._mended(performance.recital):
                yield sound

    async def _hedged(self, performance: Performance, script: Script) -> Performance:
        if not self._policy.hedge:
            return performance
        return await VoiceHedge(self, self._stage.budget, self._policy).winner(performance, script)

    async def _performed(self, performance: Performance) -> AsyncGenerator[Sound, None]:
        candidate, recital = performance.candidate, performance.recital
        began = self._candidates.clock()
        told = False
        async with aclosing(performance.sounds()) as sounds:
            async for sound in sounds:
                if not told and recital.waited_s is not None:
                    told = True
                    self._candidates.began(candidate, recital.waited_s)
                yield sound
        permit, performance.permit = performance.permit, None
        if permit is not None:
            self._candidates.succeeded(candidate, permit, self._candidates.clock() - began)

    def _took_over(self, failed: str, performance: Performance, failure: ProviderError) -> None:
        candidate = performance.candidate
        self._candidates.keep(self._options.conversation, candidate)
        self._candidates.observer.switched(failed, candidate.name, failure.code)

    def _mended(self, recital: Recital) -> list[Sound]:
        """A voice broke off: the words that it said, and the sentence's end if it said all."""
        self._wasted_s += recital.idle_s if recital.waited_s is None else 0.0
        self._number, self._sentence = recital.number, recital.sentence
        sentence = self._sentence
        if sentence is None:
            return []
        said = sentence.broke_off(self._pace.letter_ms)
        if sentence.is_said:
            self._sentence = None
            self._number += 1
            return [Sound(b"", self._number - 1, ends=True, words=said)]
        return [Sound(b"", self._number, words=said)] if said else []
