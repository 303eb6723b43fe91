"""A language of levels: each word is a stretch of constant sound, so that what was said can be
read off what was heard, word by word.

The levels are codes of G.711 mu-law, which survive both encodings and resampling. A word lasts
``WORD_MS``; the words of a call are numbered and each is said once, so that a word that is lost,
comes twice or comes too early is noticed.
"""

from __future__ import annotations

import base64
from functools import cache

import numpy as np

from antiphon_protocol.audio import PCM, PCMU, Encoding
from antiphon_server.call.sound import decode, encode

WORD_MS = 200
LEAST_MS = 45
"""Of a word must have been heard for it to be understood."""

_QUIETEST = 900
"""Louder than what the scripted providers take for silence."""
_SAMPLES_PER_SECOND = 200
"""Of what was heard, looked at."""
_RATE = 16_000


def _levels() -> list[int]:
    every = decode(bytes(range(256)), PCMU).tolist()
    return sorted(level for level in set(every) if level >= _QUIETEST)


LEVELS = _levels()
NODS = ("uh-huh", "yeah", "okay", "right")
"""What shows that one listens."""
MOST_WORDS = len(LEVELS) - len(NODS)
"""That a call can have."""
_NAMES = [*NODS, *(f"w{number}" for number in range(MOST_WORDS))]


def _table() -> np.ndarray:
    """For each int16 (as uint16) which level it is, -1 for none."""
    table = np.full(65_536, -1, np.int16)
    for index, level in enumerate(LEVELS):
        near = round(0.3 * (level - LEVELS[index - 1])) if index else 8
        table[level - near : level + near + 1] = index
    return table


_LEVEL_OF = _table()


def name_of(word: int) -> str:
    """How a numbered word is written."""
    return _NAMES[len(NODS) + word]


def numbered(text: str) -> list[int]:
    """The numbers of the words that are said once in a call."""
    return [int(word[1:]) for word in text.split() if word[0] == "w"]


@cache
def sound_of(name: str, ms: int, encoding: Encoding) -> bytes:
    """A stretch of a word, or of silence for an empty name, as the wire has it."""
    level = LEVELS[_NAMES.index(name)] if name else 0
    samples = np.full(encoding.rate * ms // 1000, level, np.int16)
    return encode(samples, encoding)


@cache
def frame_of(name: str, ms: int, encoding: Encoding) -> str:
    """The ``input.audio`` that carries it."""
    audio = base64.b64encode(sound_of(name, ms, encoding)).decode()
    return f'{{"type":"input.audio","audio":"{audio}"}}'


def heard(pcm: bytes) -> str:
    """The words in int16 mono PCM at 16 kHz."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.uint16)[:: _RATE // _SAMPLES_PER_SECOND]
    levels = _LEVEL_OF[samples]
    edges = np.flatnonzero(np.diff(levels)) + 1
    starts = [0, *edges.tolist()]
    ends = [*edges.tolist(), len(levels)]
    least = LEAST_MS * _SAMPLES_PER_SECOND // 1000
    names: list[str] = []
    for start, end in zip(starts, ends, strict=True):
        level = int(levels[start]) if end > start else -1
        if level >= 0 and end - start >= least and names[-1:] != [_NAMES[level]]:
            names.append(_NAMES[level])
    return " ".join(names)


ENCODINGS = {PCM.name: PCM, PCMU.name: PCMU}
"""Those in which the caller's words can be sent."""
