"""Voice activity by loudness alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HEARING_RATE
from antiphon_providers.scripted.desk import AT_OPEN, Desk, Fault, Stream
from antiphon_providers.scripted.tones import loudness

WINDOW_MS = 32
"""As Silero's, so that either can stand in for the other."""

_WINDOW_BYTES = HEARING_RATE * WINDOW_MS // 1000 * 2


class VoiceActivityScript(Struct, frozen=True, forbid_unknown_fields=True):
    """How the scripted voice activity behaves."""

    threshold: Annotated[float, Meta(ge=0, le=1, description="Loudness of voice, of 1.")] = 0.01
    voice: Annotated[float, Meta(ge=0, le=1, description="Probability given to voice.")] = 0.99
    silence: Annotated[float, Meta(ge=0, le=1, description="Probability of the rest.")] = 0.0
    fault: Annotated[str, Meta(description="See `Fault.parse`; counts windows.")] = ""

    def __post_init__(self) -> None:
        Fault.parse(self.fault)


class ScriptedVoiceActivity:
    """Voice is what is loud: the window's root mean square above a threshold.

    The sink is called inside ``feed``. A fault's error comes out of ``open`` or ``feed``, as
    there is nothing else that it could come out of; a stalled stream calls its sink no more.
    """

    Options = VoiceActivityScript
    name = "scripted"
    window_ms = WINDOW_MS

    def __init__(self, options: VoiceActivityScript | None = None) -> None:
        self.options = options or VoiceActivityScript()
        self.desk = Desk(self.name, Fault.parse(self.options.fault))

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to release; open streams go on until closed."""

    def open(self, sink: Callable[[float], None]) -> ScriptedVoiceStream:
        """A stream; raises what the fault tells."""
        stream = ScriptedVoiceStream(self, sink, self.desk.enter())
        try:
            stream.begin()
        except ProviderError:
            stream.close()
            raise
        return stream


class ScriptedVoiceStream:
    """One call's voice activity."""

    def __init__(
        self, owner: ScriptedVoiceActivity, sink: Callable[[float], None], stream: Stream
    ) -> None:
        self._owner = owner
        self._sink = sink
        self._stream = stream
        self._rest = b""
        self._open = True
        self._stalled = False

    def begin(self) -> None:
        """Raises, or stalls, when that is to happen at open."""
        self._stalled = self._stream.stalls(AT_OPEN)

    def feed(self, pcm: bytes) -> None:
        """Reports each full window to the sink before it returns."""
        if not self._open:
            return
        audio = self._rest + pcm
        whole = len(audio) - len(audio) % _WINDOW_BYTES
        self._rest = audio[whole:]
        for at in range(0, whole, _WINDOW_BYTES):
            if self._open and not self._stalled:
                self._report(audio[at : at + _WINDOW_BYTES])

    def close(self) -> None:
        """Ends the stream; the sink is not called again."""
        if self._open:
            self._open = False
            self._owner.desk.leave(self._stream)

    def _report(self, window: bytes) -> None:
        if self._stream.stalls():
            self._stalled = True
            return
        self._stream.results += 1
        script = self._owner.options
        loud = not self._stream.empty and loudness(window) > script.threshold
        self._sink(script.voice if loud else script.silence)
