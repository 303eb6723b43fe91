"""One call's recogniser, whoever hears at the moment."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

from antiphon_providers.errors import Malformed, ProviderError, TooSlow
from antiphon_providers.interfaces import HearingOptions, Recognised, SpeechToText
from antiphon_providers.resilience.breaker import Permit, blames_the_request
from antiphon_providers.resilience.candidates import Candidate, Candidates, failure_of
from antiphon_providers.resilience.line import Line, LineDoors
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.unanswered import Unanswered

RECOVERED = "recovered"
"""Why a call went back to a candidate that it prefers."""

DOUBTED_MS = 1200
"""Of audio that somebody was thought to speak in: an empty answer to so much is asked of another.
What the server feeds has half a second of silence at its ends.
"""

_CLOCK_STEP_S = 0.001
"""A timer may be early by less."""

Hearer = Candidate[SpeechToText]


class _Listener:
    """A candidate's line, with the leave to use it."""

    def __init__(self, candidate: Hearer, permit: Permit | None, line: Line) -> None:
        self.candidate = candidate
        self.permit = permit
        self.line = line
        self.has_answered = False


class ResilientSpeechStream:
    """Feeds one listener, and keeps what it may have to tell the next one."""

    def __init__(
        self, candidates: Candidates[SpeechToText], policy: Policy, options: HearingOptions
    ) -> None:
        self._candidates = candidates
        self._policy = policy
        self._options = options
        self._doors = LineDoors(self._line_opened, self._recognised, self._broke)
        self._results: asyncio.Queue[Recognised | ProviderError | None] = asyncio.Queue()
        self._unanswered = Unanswered()
        self._current: _Listener | None = None
        self._spare: _Listener | None = None
        """Open, or opening: to take over when the current one fails or is the worse choice."""
        self._last: Hearer | None = None
        self._tried: set[Hearer] = set()
        """Who failed since a flush was last answered, without having answered any."""
        self._left: dict[Hearer, float] = {}
        self._reason = ""
        self._doubted = False
        """Whether an empty answer to the oldest flush was not believed."""
        self._gives_up: float | None = None
        """When no more candidates are waited for; None while all is well."""
        self._timer: asyncio.TimerHandle | None = None
        """Of the flush that is due, or of the candidate that is waited for."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._shut = False

    # --- what the call uses --------------------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        """Takes speech, and remembers it until it is answered."""
        self._unanswered.feed(pcm)
        if self._current is not None:
            self._current.line.feed(pcm)

    def flush(self) -> None:
        """Asks for the final words, now and, if need be, again of the next candidate."""
        self._unanswered.flush(self._candidates.clock())
        listener = self._current
        if listener is not None and listener.line.stream is not None:
            if listener.permit is None:
                listener.permit = self._candidates.ask(listener.candidate)
            listener.line.flush()
            if self._timer is None:
                self._watch()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the stream is closed. Raises ``ProviderError``."""
        while (result := await self._results.get()) is not None:
            if isinstance(result, ProviderError):
                raise result
            yield result

    # --- from its opening to its end -----------------------------------------------------

    async def opened(self) -> None:
        """Returns when somebody hears. Raises ``ProviderError`` when nobody can."""
        self._gives_up = self._candidates.clock() + self._policy.budget_ms / 1000
        self._go_on(None)
        await self._ready

    def shut(self) -> None:
        """Ends the iteration and whoever listens."""
        if not self._shut:
            self._shut = True
            self._stop_timer()
            self._retire(self._current)
            self._retire(self._spare)
            self._current = self._spare = None
            self._results.put_nowait(None)
            if not self._ready.done():
                self._ready.set_exception(self._candidates.nobody("recogniser"))
                # Whoever is cancelled while it opens does not ask why.
                self._ready.exception()

    async def leave(self) -> None:
        """Ends it, and returns when all streams are left."""
        self.shut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- what happens on the lines -------------------------------------------------------

    def _line_opened(self, line: Line) -> None:
        current = self._current
        if current is not None and current.line is line:
            self._take_over(current)
        elif self._unanswered.is_empty:
            self._at_boundary()

    def _recognised(self, line: Line, result: Recognised) -> None:
        listener = self._current
        if listener is None or listener.line is not line:
            return
        if not result.flushed:
            # What comes when nothing was said is an echo of what was answered.
            if not self._unanswered.is_empty:
                self._results.put_nowait(result)
            return
        if self._is_doubtful(listener, result):
            name = listener.candidate.name
            self._doubted = True
            listener.line.fail(Malformed("the recogniser heard no words in speech", provider=name))
            return
        asked = self._unanswered.answered()
        if asked is None:
            return
        self._results.put_nowait(result)
        self._answered(listener, self._candidates.clock() - asked)

    def _broke(self, line: Line, error: Exception) -> None:
        current, spare = self._current, self._spare
        if spare is not None and spare.line is line:
            self._spare = None
            self._failed(spare, failure_of(error, spare.candidate))
        elif current is not None and current.line is line:
            self._current = None
            failure = failure_of(error, current.candidate)
            self._failed(current, failure)
            if not current.has_answered:
                self._tried.add(current.candidate)
            if self._gives_up is None:
                self._gives_up = self._candidates.clock() + self._policy.budget_ms / 1000
            self._last, self._reason = current.candidate, failure.code
            self._go_on(failure)

    def _too_slow(self) -> None:
        self._timer = None
        if self._current is not None:
            name = self._current.candidate.name
            late = TooSlow("the recogniser did not answer a flush in time", provider=name)
            self._current.line.fail(late)

    # --- who listens ---------------------------------------------------------------------

    def _go_on(self, failure: ProviderError | None) -> None:
        """The next candidate listens, or one is waited for, or it is given up."""
        self._stop_timer()
        if self._shut:
            return
        if self._spare is not None:
            self._current, self._spare = self._spare, None
            if self._current.line.stream is not None:
                self._take_over(self._current)
            return
        untried = [candidate for candidate in self._candidates if candidate not in self._tried]
        for candidate in sorted(untried, key=lambda one: one is self._last):
            permit = self._candidates.ask(candidate)
            if permit is not None:
                self._current = self._open(candidate, permit)
                return
        self._wait_for(untried, failure)

    def _wait_for(self, untried: list[Hearer], failure: ProviderError | None) -> None:
        now = self._candidates.clock()
        waits = [candidate.breaker.opens_in(now) for candidate in untried]
        wait_s = max(min(waits, default=0.0), _CLOCK_STEP_S)
        if waits and self._gives_up is not None and now + wait_s <= self._gives_up:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait_s + _CLOCK_STEP_S, self._go_on, failure)
            return
        failure = failure or self._candidates.nobody("recogniser")
        if self._ready.done():
            self._results.put_nowait(failure)
        else:
            self._ready.set_exception(failure)

    def _open(self, candidate: Hearer, permit: Permit) -> _Listener:
        others = any(self._may_be_asked(one) for one in self._candidates if one is not candidate)
        patience_ms = self._policy.first_ms if others else self._policy.budget_ms
        line = Line(candidate.provider, self._options, patience_ms / 1000, self._doors)
        self._tasks.add(line.task)
        line.task.add_done_callback(self._tasks.discard)
        return _Listener(candidate, permit, line)

    def _take_over(self, listener: _Listener) -> None:
        """The listener is told what nobody has answered."""
        if self._last is not None and self._last is not listener.candidate:
            name = listener.candidate.name
            self._candidates.observer.switched(self._last.name, name, self._reason)
        self._last = listener.candidate
        self._release_probe(listener)
        if not self._ready.done():
            self._ready.set_result(None)
        if listener.permit is None and self._unanswered.pending:
            listener.permit = self._candidates.ask(listener.candidate)
        stream = listener.line.stream
        if stream is not None:
            try:
                self._unanswered.replay(stream)
            except Exception as error:  # noqa: BLE001 - a candidate's defect is its failure
                listener.line.fail(error)
                return
        self._watch()
        self._prepare()

    def _at_boundary(self) -> None:
        """Nothing is being said: the moment for a better candidate, if one is there."""
        current, spare = self._current, self._spare
        if current is None:
            return
        is_open = spare is not None and spare.line.stream is not None
        if spare is None or not is_open or not self._is_better(spare.candidate, current):
            self._prepare()
            return
        self._current, self._spare = spare, None
        self._last, self._reason = current.candidate, RECOVERED
        self._retire(current)
        self._take_over(spare)

    def _prepare(self) -> None:
        """Opens a spare: somebody better once that may be, or else a standby if one is wanted."""
        current, spare = self._current, self._spare
        if current is None or (spare is not None and self._is_better(spare.candidate, current)):
            return
        wanted = [one for one in self._candidates if self._is_better(one, current)]
        if self._policy.warm_standby and spare is None:
            wanted = [one for one in self._candidates if one is not current.candidate]
        for candidate in wanted:
            may_be = self._rested(candidate) and self._may_be_asked(candidate)
            permit = self._candidates.enter(candidate) if may_be else None
            if permit is not None:
                self._retire(spare)
                self._spare = self._open(candidate, permit)
                return

    # --- what is thought of them ---------------------------------------------------------

    def _answered(self, listener: _Listener, seconds: float) -> None:
        listener.has_answered = True
        self._doubted = False
        self._tried.clear()
        self._gives_up = None
        self._candidates.began(listener.candidate, seconds)
        if listener.permit is not None:
            self._candidates.succeeded(listener.candidate, listener.permit, seconds)
            listener.permit = None
        self._stop_timer()
        self._watch()
        if self._unanswered.is_empty:
            self._at_boundary()

    def _failed(self, listener: _Listener, failure: ProviderError) -> None:
        # Who does not serve this call's wishes will not serve them later either.
        never = blames_the_request(failure)
        self._left[listener.candidate] = math.inf if never else self._candidates.clock()
        permit = listener.permit or self._candidates.enter(listener.candidate)
        if permit is not None:
            self._candidates.failed(listener.candidate, permit, failure)
        else:
            self._candidates.report_failure(listener.candidate, failure)
        listener.line.close()

    def _retire(self, listener: _Listener | None) -> None:
        if listener is not None:
            listener.line.close()
            if listener.permit is not None:
                self._candidates.abandoned(listener.candidate, listener.permit)
                listener.permit = None

    def _release_probe(self, listener: _Listener) -> None:
        """One that only listens must not keep others from probing, perhaps for minutes."""
        permit = listener.permit
        if permit is not None and permit.probe and not self._unanswered.pending:
            self._candidates.abandoned(listener.candidate, permit)
            listener.permit = None

    def _may_be_asked(self, candidate: Hearer) -> bool:
        if candidate in self._tried:
            return False
        return candidate.breaker.admits(self._candidates.clock())

    def _is_doubtful(self, listener: _Listener, result: Recognised) -> bool:
        """Whether another should hear what this one heard nothing in: a vendor that is not there
        any more looks so. Once for each flush, for it may have been a noise.
        """
        if result.text.strip() or self._doubted or self._unanswered.oldest_ms < DOUBTED_MS:
            return False
        others = [one for one in self._candidates if one is not listener.candidate]
        return any(self._may_be_asked(one) for one in others)

    def _rested(self, candidate: Hearer) -> bool:
        left = self._left.get(candidate)
        rest_s = self._policy.cooldown_ms / 1000
        return left is None or self._candidates.clock() - left >= rest_s

    def _is_better(self, candidate: Hearer, current: _Listener) -> bool:
        order = list(self._candidates)
        return order.index(candidate) < order.index(current.candidate)

    # --- the flush that is due -----------------------------------------------------------

    def _watch(self) -> None:
        """Times the oldest flush, from now: it was asked now, or the one before it answered."""
        self._stop_timer()
        current = self._current
        if current is None or not self._unanswered.pending:
            return
        others = [one for one in self._candidates if one is not current.candidate]
        another = any(self._may_be_asked(one) for one in others)
        patience_ms = self._policy.first_ms if another else self._policy.budget_ms
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience_ms / 1000, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
