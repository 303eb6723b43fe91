"""Voice activity and turn models that can be replaced by others while calls run.

A turn model is asked once a pause, so the next pause goes to the new one. Voice activity is a
stream that lasts as long as the call: it is changed at a window in which nobody speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from antiphon_providers.errors import ProviderError, Refused
from antiphon_providers.interfaces import HEARING_RATE, TurnModel, VoiceActivity, VoiceStream
from antiphon_providers.resilience.swap import Swappable

QUIET = 0.2
"""Below this probability there is no voice in a window."""
LATE_MS = 1000
"""Of audio; a window is judged within a tenth of that by a provider that works."""


class SwappableTurnModel(Swappable[TurnModel]):
    """A pause is judged to its end by the model that was asked."""

    async def judge(self, pcm: bytes) -> float:
        """Probability that the turn is over. Raises ``ProviderError``."""
        with self.used() as model:
            return await model.judge(pcm)


class SwappableVoiceActivity(Swappable[VoiceActivity]):
    """A call changes its voice activity between two windows, when nobody speaks."""

    def __init__(self, provider: VoiceActivity, *, owns: bool = True) -> None:
        super().__init__(provider, owns=owns)
        self.window_ms = provider.window_ms

    async def swap(self, provider: VoiceActivity, *, prepared: bool = False) -> None:
        """New work goes to this one from now on.

        Raises ``Refused`` where its windows have another length, because calls in progress count
        in theirs; otherwise as for every stage.
        """
        self.check(provider)
        await super().swap(provider, prepared=prepared)

    async def prepare(self, provider: VoiceActivity) -> None:
        """As for every stage; raises ``Refused`` as ``swap`` does."""
        self.check(provider)
        await super().prepare(provider)

    def check(self, provider: VoiceActivity) -> None:
        """Raises ``Refused`` for one that cannot take over."""
        if provider.window_ms != self.window_ms:
            raise Refused(
                f"windows of {provider.name} have {provider.window_ms} ms, those of calls in "
                f"progress {self.window_ms} ms: this change needs a restart",
                provider=provider.name,
            )

    def open(self, sink: Callable[[float], None]) -> SwappableVoiceStream:
        """A stream that calls ``sink`` with each window's probability, in order."""
        return SwappableVoiceStream(self, self.window_ms, sink)


class VoiceActivities(Protocol):
    """Who notices voices now."""

    @property
    def current(self) -> VoiceActivity:
        """The one for new work."""
        ...

    def enter(self) -> VoiceActivity:
        """The same, in use until ``leave``."""
        ...

    def leave(self, provider: VoiceActivity) -> None:
        """It is not used any more."""
        ...


class _Watch:
    """One provider's stream, and how many windows it owes."""

    def __init__(self, provider: VoiceActivity, tell: Callable[[_Watch, float], None]) -> None:
        self.provider = provider
        self.owed = 0
        self._stream: VoiceStream = provider.open(lambda probability: tell(self, probability))

    def feed(self, pcm: bytes, windows: int) -> None:
        self.owed += windows
        self._stream.feed(pcm)

    def close(self) -> None:
        self._stream.close()


class SwappableVoiceStream:
    """One call's voice activity, of which each window is judged once and told in order.

    One that owes ``LATE_MS`` of windows has failed: another takes over whatever was last heard,
    and the windows owed count as silence.
    """

    def __init__(
        self, owner: VoiceActivities, window_ms: int, sink: Callable[[float], None]
    ) -> None:
        self._owner = owner
        self._sink = sink
        self._window_bytes = HEARING_RATE * 2 * window_ms // 1000
        self._late = LATE_MS // window_ms
        self._part = 0
        """Bytes of the window that is not full yet."""
        self._quiet = True
        self._current: _Watch | None = self._enter()
        self._old: _Watch | None = None
        """Fed no more, and still owing windows."""
        self._held: list[float] = []
        """What the new one said before the old one had finished."""

    def feed(self, pcm: bytes) -> None:
        """Takes the next audio, of any length; between two windows it may go to another."""
        left = -self._part % self._window_bytes
        if self._may_change() and len(pcm) >= left:
            self._give(pcm[:left])
            self._change()
            pcm = pcm[left:]
        self._give(pcm)

    def close(self) -> None:
        """Ends the stream; the sink is not called again."""
        watches, self._old, self._current = (self._old, self._current), None, None
        self._held.clear()
        for watch in watches:
            if watch is not None:
                self._leave(watch)

    def _may_change(self) -> bool:
        current = self._current
        return (
            current is not None
            and current.provider is not self._owner.current
            and self._old is None
            and (self._quiet or current.owed > self._late)
        )

    def _change(self) -> None:
        try:
            new = self._enter()
        except ProviderError:
            # The old one goes on, and the new one is tried again.
            return
        old, self._current = self._current, new
        if old is not None and old.owed:
            self._old = old
        elif old is not None:
            self._leave(old)

    def _give(self, pcm: bytes) -> None:
        if self._current is not None and pcm:
            windows, self._part = divmod(self._part + len(pcm), self._window_bytes)
            self._current.feed(pcm, windows)

    def _told(self, watch: _Watch, probability: float) -> None:
        watch.owed -= 1
        if watch is self._current and self._old is not None:
            self._held.append(probability)
            if len(self._held) > self._late:
                self._finish_old(self._old)
        elif watch in (self._current, self._old):
            self._tell(probability)
            if watch is self._old and not watch.owed:
                self._finish_old(watch)

    def _finish_old(self, old: _Watch) -> None:
        """It owes nothing any more, or is not waited for any longer."""
        self._old = None
        self._leave(old)
        held, self._held = self._held, []
        for probability in [0.0] * old.owed + held:
            if self._current is None:
                return
            self._tell(probability)

    def _tell(self, probability: float) -> None:
        self._quiet = probability < QUIET
        self._sink(probability)

    def _enter(self) -> _Watch:
        provider = self._owner.enter()
        try:
            return _Watch(provider, self._told)
        except BaseException:
            self._owner.leave(provider)
            raise

    def _leave(self, watch: _Watch) -> None:
        watch.close()
        self._owner.leave(watch.provider)
