"""Voice activity by Silero VAD: one network per process, asked for many calls at once.

Windows go to one worker thread as soon as they are full. While it is busy others gather, and
the next run judges them together (at most one of each stream, since each needs the memory that
the one before left): thirty cost each half of what one alone does. So the more calls there are,
the longer it waits from one run to the next, up to 10 ms. One call into the event loop delivers
a whole run.

Silence that the energy gate shuts out (see ``energy_gate`` for the rule) is reported as 0 on the
spot. The network's memory of the stream then stays as it was: it had settled on silence before
the gate shut. Only the 64 samples that it needs before the next window are kept up to date.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import HEARING_RATE
from antiphon_providers.local import models
from antiphon_providers.local.energy_gate import EnergyGate
from antiphon_providers.local.silero_model import WINDOW, Memory, Samples, SileroModel

_WINDOW_BYTES = WINDOW * 2
_STEP = np.float32(1 / 32768)

_LARGEST_RUN = 64
"""Windows: a run takes some 2 ms; larger ones save nothing and make all wait."""


_GATHERING_S = 0.00008
_LONGEST_GATHERING_S = 0.01
"""From one run's beginning to the next: for each stream, and at most."""


class SileroOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set of the voice activity."""

    gate: Annotated[
        bool, Meta(description="Whether plain silence is told by its energy, unheard.")
    ] = True


class Silero:
    """Silero VAD 6 at 16 kHz; probabilities of windows of 32 ms."""

    Options = SileroOptions
    name = "silero"
    window_ms = WINDOW * 1000 // HEARING_RATE

    def __init__(self, options: SileroOptions | None = None) -> None:
        self.options = options or SileroOptions()
        self.windows_judged = 0
        self.windows_shut_out = 0
        self.runs = 0
        self.streams = 0
        self._worker: _Worker | None = None

    async def start(self) -> None:
        """Loads the network. Raises ``NotInstalled`` where its file is missing."""
        model = await asyncio.to_thread(self._load)
        self._worker = _Worker(model, asyncio.get_running_loop(), self)
        self._worker.start()

    async def close(self) -> None:
        """Streams get no more probabilities; waits for the run that is under way."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.give(None)
            await asyncio.to_thread(worker.join)

    def open(self, sink: Callable[[float], None]) -> SileroStream:
        """A stream. Raises ``Unavailable`` unless started."""
        return SileroStream(self, sink, self.worker)

    @property
    def worker(self) -> _Worker:
        """The thread that judges. Raises ``Unavailable`` unless started."""
        if self._worker is None:
            raise Unavailable("voice activity is not running", provider=self.name)
        return self._worker

    def _load(self) -> SileroModel:
        return SileroModel(models.read(models.SILERO_VAD, provider=self.name))

    @property
    def gathering_s(self) -> float:
        """Seconds from one run's beginning to the next."""
        return min(self.streams * _GATHERING_S, _LONGEST_GATHERING_S)

    def judged(self, run: list[_Window], probabilities: list[float]) -> None:
        """What the network found, on the event loop."""
        self.runs += 1
        self.windows_judged += len(run)
        for window, probability in zip(run, probabilities, strict=True):
            window.stream.judged(window.samples, probability)


class SileroStream:
    """One call's voice activity."""

    def __init__(self, owner: Silero, sink: Callable[[float], None], worker: _Worker) -> None:
        self.memory = Memory()
        self._owner = owner
        self._sink = sink
        self._worker = worker
        self._gate = EnergyGate() if owner.options.gate else None
        owner.streams += 1
        self._rest = b""
        self._awaited = 0
        self._open = True

    @property
    def is_open(self) -> bool:
        """Whether anybody still wants to know."""
        return self._open

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz. Raises ``Unavailable`` when the network has failed."""
        if not self._open:
            return
        if self._worker.failure is not None:
            raise Unavailable(
                f"voice activity failed: {self._worker.failure}", provider=self._owner.name
            ) from self._worker.failure
        audio = self._rest + pcm
        whole = len(audio) - len(audio) % _WINDOW_BYTES
        self._rest = audio[whole:]
        for at in range(0, whole, _WINDOW_BYTES):
            samples: Samples = np.frombuffer(audio, np.int16, WINDOW, at).astype(np.float32)
            samples *= _STEP
            self._heard(samples)

    def close(self) -> None:
        """Ends the stream; the sink is not called again."""
        if self._open:
            self._owner.streams -= 1
        self._open = False

    def judged(self, samples: Samples, probability: float) -> None:
        """The network's answer, on the event loop."""
        self._awaited -= 1
        if self._gate is not None:
            self._gate.judged(samples, probability)
        if self._open:
            self._sink(probability)

    def _heard(self, samples: Samples) -> None:
        # Results come in order: while one is awaited, nothing can be told on the spot. And no
        # window can be let off before it is known whether the one before was speech.
        gate = self._gate
        if self._open and gate is not None and not self._awaited and gate.shuts_out(samples):
            self._owner.windows_shut_out += 1
            self.memory.passed_over(samples)
            self._sink(0.0)
        elif self._open:
            self._awaited += 1
            self._worker.give(_Window(self, samples))


class _Window(NamedTuple):
    """A window that waits for the network."""

    stream: SileroStream
    samples: Samples


class _Worker(threading.Thread):
    """The one thread that runs the network, over whatever waits."""

    def __init__(
        self,
        model: SileroModel,
        loop: asyncio.AbstractEventLoop,
        owner: Silero,
    ) -> None:
        super().__init__(name="silero", daemon=True)
        self.failure: Exception | None = None
        self._model = model
        self._loop = loop
        self._owner = owner
        self._given: SimpleQueue[_Window | None] = SimpleQueue()
        self._waiting: deque[_Window] = deque()

    def give(self, window: _Window | None) -> None:
        """Adds a window to those that wait; None ends the thread."""
        self._given.put(window)

    def run(self) -> None:
        """Judges until ended."""
        while self._gather():
            run = self._next_run()
            if not run:
                continue
            next_at = time.monotonic() + self._owner.gathering_s
            try:
                probabilities = self._model.judge([(w.stream.memory, w.samples) for w in run])
                self._loop.call_soon_threadsafe(self._owner.judged, run, probabilities)
            except Exception as failure:  # noqa: BLE001 - told to every stream's next feed.
                self.failure = failure
                return
            time.sleep(max(0.0, next_at - time.monotonic()))

    def _gather(self) -> bool:
        """Waits until there is something to judge; False when it is time to end."""
        while not self._waiting or not self._given.empty():
            window = self._given.get()
            if window is None:
                return False
            self._waiting.append(window)
        return True

    def _next_run(self) -> list[_Window]:
        """The longest waiting windows, one of each stream."""
        run: dict[SileroStream, _Window] = {}
        later: list[_Window] = []
        while self._waiting and len(run) < _LARGEST_RUN:
            window = self._waiting.popleft()
            if not window.stream.is_open:
                continue
            if window.stream in run:
                later.append(window)
            else:
                run[window.stream] = window
        self._waiting.extendleft(reversed(later))
        return list(run.values())
