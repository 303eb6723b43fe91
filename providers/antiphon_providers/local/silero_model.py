"""The Silero VAD network, for many streams in one run.

The network (version 6 of https://github.com/snakers4/silero-vad, MIT) judges 512 samples at
16 kHz. It needs the 64 samples before them, and carries 2 x 128 numbers from one window of a
stream to the next. Streams in one batch do not influence each other: the results are those of
single runs, bit for bit.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from antiphon_providers.interfaces import HEARING_RATE

WINDOW = 512
"""Samples in a window: 32 ms."""

_CONTEXT = 64
_STATE = (2, 128)

Samples = NDArray[np.float32]


class Memory:
    """What the network remembers of one stream. Kept with the stream, not in a table of slots:
    filling a batch costs 1 µs a window either way, and nothing can be given to the wrong caller.
    """

    def __init__(self) -> None:
        self.state: Samples = np.zeros(_STATE, np.float32)
        self.context: Samples = np.zeros(_CONTEXT, np.float32)

    def passed_over(self, samples: Samples) -> None:
        """A window was not judged, but the next one follows it."""
        self.context = samples[-_CONTEXT:]


class SileroModel:
    """One loaded network. Not for several threads at once."""

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # A waiting thread must not burn the core that the event loop needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._rate = np.array(HEARING_RATE, np.int64)

    def judge(self, windows: list[tuple[Memory, Samples]]) -> list[float]:
        """The probability of speech in each window (512 samples from -1 to 1).

        At most one window of each stream; the memories move on.
        """
        count = len(windows)
        audio = np.empty((count, _CONTEXT + WINDOW), np.float32)
        state = np.empty((_STATE[0], count, _STATE[1]), np.float32)
        for row, (memory, samples) in enumerate(windows):
            audio[row, :_CONTEXT] = memory.context
            audio[row, _CONTEXT:] = samples
            state[:, row] = memory.state
        speech, state = self._session.run(None, {"input": audio, "state": state, "sr": self._rate})
        for row, (memory, samples) in enumerate(windows):
            # A copy: a view would keep the whole run's numbers in memory for each stream.
            memory.state = state[:, row].copy()
            memory.context = samples[-_CONTEXT:]
        return [float(probability) for probability in speech[:, 0]]
