"""Voice activities that each break one promise, under their contract."""

from __future__ import annotations

import threading
from collections.abc import Callable

from antiphon_providers.contract.voice_activity import VoiceActivityContract
from antiphon_providers.scripted import ScriptedVoiceActivity
from antiphon_providers.scripted.voice_activity import ScriptedVoiceStream

Sink = Callable[[float], None]


def of(twin: type[ScriptedVoiceActivity], patience_s: float = 2.5) -> type:
    """The contract of a twin, with little patience where it is to be found out."""
    methods: dict[str, object] = {"make": lambda _: twin(), "patience_s": patience_s}
    return type("Contract", (VoiceActivityContract,), methods)


class Fair(ScriptedVoiceActivity):
    """Breaks none."""


class Deaf(ScriptedVoiceActivity):
    """Hears no voice."""

    def open(self, sink: Sink) -> ScriptedVoiceStream:
        """Never likely."""
        return super().open(lambda _: sink(0.1))


class Percent(ScriptedVoiceActivity):
    """Counts to a hundred."""

    def open(self, sink: Sink) -> ScriptedVoiceStream:
        """A probability of 99."""
        return super().open(lambda probability: sink(100 * probability))


class Lossy(ScriptedVoiceActivity):
    """Reports every other window."""

    def open(self, sink: Sink) -> ScriptedVoiceStream:
        """Half of them."""
        heard: list[float] = []

        def half(probability: float) -> None:
            heard.append(probability)
            if len(heard) % 2:
                sink(probability)

        return super().open(half)


class Deathless(ScriptedVoiceActivity):
    """Hears on when its stream is closed."""

    def open(self, sink: Sink) -> ScriptedVoiceStream:
        """A stream that cannot be closed."""
        stream = super().open(sink)
        stream.close = lambda: None  # type: ignore[method-assign]
        return stream


class Mingling(ScriptedVoiceActivity):
    """Tells one call what another says."""

    def open(self, sink: Sink) -> ScriptedVoiceStream:
        """What is told depends on the others."""
        return super().open(lambda probability: sink(self.told(probability)))

    def told(self, probability: float) -> float:
        """Once several are open: the opposite."""
        return 1 - probability if self.desk.active > 1 else probability


class Blocking(ScriptedVoiceActivity):
    """Keeps the event loop from everybody else."""

    def open(self, sink: Sink) -> ScriptedVoiceStream:
        """Loads its model there and then."""
        threading.Event().wait(0.8)
        return super().open(sink)


TestSound = of(Fair, patience_s=60)
TestDeaf = of(Deaf)
TestPercent = of(Percent)
TestLossy = of(Lossy)
TestDeathless = of(Deathless)
TestMingling = of(Mingling)
TestBlocking = of(Blocking)
