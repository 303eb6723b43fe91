"""Cuts the silence before and after an utterance whose sound comes bit by bit."""

from __future__ import annotations

import numpy as np

_AUDIBLE = 100
"""Of int16 samples: -50 dB of full scale."""

_LEAD_MS = 20
_TAIL_MS = 120
"""What is kept before the first sound and after the last."""


class SilenceCut:
    """Gives back the sound; silence is held back until it is known what follows it."""

    def __init__(self, rate: int) -> None:
        self._lead_bytes = rate * _LEAD_MS // 1000 * 2
        self._tail_bytes = rate * _TAIL_MS // 1000 * 2
        self._held = b""
        self.cut_bytes = 0
        """How much was cut before the first sound."""
        self.has_begun = False

    def kept(self, pcm: bytes) -> bytes:
        """What can be given by now, when this (int16 mono) comes next."""
        audio = self._held + pcm
        samples = np.abs(np.frombuffer(audio[: len(audio) // 2 * 2], np.int16).astype(np.int32))
        audible = np.flatnonzero(samples > _AUDIBLE)
        if not audible.size:
            self._held = audio
            return b""
        begin = 0
        if not self.has_begun:
            begin = max(0, int(audible[0]) * 2 - self._lead_bytes)
            self.cut_bytes, self.has_begun = begin, True
        end = (int(audible[-1]) + 1) * 2
        self._held = audio[end:]
        return audio[begin:end]

    def rest(self) -> bytes:
        """The silence to end with; nothing where there was no sound."""
        return self._held[: self._tail_bytes] if self.has_begun else b""
