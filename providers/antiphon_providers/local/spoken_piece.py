"""The audio of a segment, or of a part of a long one, and when it is worth decoding.

A piece is decoded as it grows, to show its words, and once more when it is complete. The last
can be saved: when the voice has paused for a moment the piece is decoded ahead, and if nothing
but quiet follows until it is complete, those are its words.
"""

from __future__ import annotations

import numpy as np

from antiphon_providers.interfaces import HEARING_RATE

_STEP = HEARING_RATE // 50
"""Samples in 20 ms, of which each has a level."""
_STEP_BYTES = _STEP * 2

LONGEST_S = 12.0
"""The recogniser's accuracy falls, and its time per second rises, in longer audio."""

_CUT_AFTER = 0.5
_CUT_BEFORE = 0.95
_CUT_STEPS = 8

_PACE_S = 0.5
_SLOW_PACE_S = 1.0
_SLOW_AFTER_S = 4.0
"""The longer the piece, the dearer a look at it; after so much, half as often."""

_QUIET = 0.05
"""Of the loudest level (-26 dB): below it there is no voice, at most its echo."""

_PAUSE_STEPS = 5
"""After 100 ms of quiet the piece is decoded ahead: closures of stops are shorter."""

_WORD_END_STEPS = 4
"""Steps of quiet that a decoding must have seen, to have heard the end of the last word."""

_SILENT = 58.0
"""Root mean square of int16 samples (-55 dB of full scale): no voice is softer."""

_SOFT = 330.0
"""-40 dB of full scale."""

_BRIEF_S = 0.6
_IMAGINED = frozenset({"you", "oh", "the", "so", "uh"})
"""What the recogniser says where there is next to nothing to hear."""


class Piece:
    """Audio that is decoded as one. Lengths are in bytes of int16 mono PCM at 16 kHz."""

    def __init__(self, pcm: bytes = b"") -> None:
        self._pcm = bytearray()
        self._levels: list[float] = []
        self._loudest = 0.0
        self._voice_begins = 0
        self._voice_ends = 0
        self.add(pcm)

    @property
    def pcm(self) -> bytes:
        """All of it so far."""
        return bytes(self._pcm)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self._pcm) / 2 / HEARING_RATE

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing in it that could be a voice."""
        return self._loudest < _SILENT

    @property
    def is_too_long(self) -> bool:
        """Whether it must be cut."""
        return self.seconds > LONGEST_S

    def add(self, pcm: bytes) -> None:
        """Takes the next audio."""
        self._pcm += pcm
        begin = len(self._levels) * _STEP_BYTES
        whole = (len(self._pcm) - begin) // _STEP_BYTES
        if not whole:
            return
        fresh = bytes(self._pcm[begin : begin + whole * _STEP_BYTES])
        steps = np.frombuffer(fresh, np.int16).astype(np.float32).reshape(whole, _STEP)
        for level in np.sqrt(np.mean(steps * steps, axis=1)):
            self._levels.append(float(level))
            self._loudest = max(self._loudest, float(level))
            if level >= self._loudest * _QUIET:
                self._voice_ends = len(self._levels)

    def wants_look(self, decoded: int) -> bool:
        """Whether to decode what there is, when the first ``decoded`` bytes already were."""
        if self.is_silent or self._has_paused:
            return self.wants_last_look(decoded)
        news_s = (len(self._pcm) - decoded) / 2 / HEARING_RATE
        pace_s = _PACE_S if self.seconds < _SLOW_AFTER_S else _SLOW_PACE_S
        return news_s >= pace_s

    def wants_last_look(self, decoded: int) -> bool:
        """Whether to decode ahead, because the voice has paused after new words."""
        return not self.is_silent and self._has_paused and not self.is_covered_by(decoded)

    def is_covered_by(self, decoded: int) -> bool:
        """Whether nothing but quiet follows the first ``decoded`` bytes."""
        return decoded >= (self._voice_ends + _WORD_END_STEPS) * _STEP_BYTES

    def believable(self, words: str) -> str:
        """The words, or none where the recogniser made them up."""
        if self.is_silent:
            return ""
        lone = words.strip(" .,!?…♪").lower()
        brief = self._voice_s() < _BRIEF_S or self._loudest < _SOFT
        return "" if not lone or (brief and lone in _IMAGINED) else words

    def cut(self) -> tuple[Piece, Piece]:
        """Two pieces, cut in the quietest place of the later half."""
        levels = np.array(self._levels)
        first, last = int(len(levels) * _CUT_AFTER), int(len(levels) * _CUT_BEFORE)
        around = np.convolve(levels[first:last], np.ones(_CUT_STEPS), "valid")
        at = (first + int(np.argmin(around)) + _CUT_STEPS // 2) * _STEP_BYTES
        return Piece(self.pcm[:at]), Piece(self.pcm[at:])

    @property
    def _has_paused(self) -> bool:
        return len(self._levels) - self._voice_ends >= _PAUSE_STEPS

    def _voice_s(self) -> float:
        loud = [n for n, level in enumerate(self._levels) if level >= self._loudest * _QUIET]
        return (loud[-1] - loud[0] + 1) * _STEP / HEARING_RATE if loud else 0.0
