"""Which words a sound is made of: in it, each character is a tone of its own.

The fakes of the vendors sing so (``fakes.assemblyai_voice.sound``); the standby sings the same
more softly, so that it is known who sang each character.
"""

from __future__ import annotations

from functools import lru_cache
from string import printable

import numpy as np

from fakes.assemblyai_voice import sound

RATE = 24_000
FIRST, SECOND = 1, 2
"""Who sings, by how soft it is."""
_BYTES = RATE * 40 // 1000 * 2


def sung(text: str, by: int = FIRST) -> bytes:
    """The text as it sounds; int16 mono PCM at 24 kHz."""
    pcm = sound(text, RATE)
    if by == FIRST or not pcm:
        return pcm
    return (np.frombuffer(pcm, np.int16) // by).astype(np.int16).tobytes()


@lru_cache(maxsize=1)
def _alphabet() -> dict[bytes, str]:
    return {sung(one, by): one for by in (FIRST, SECOND) for one in printable}


def read(pcm: bytes) -> str:
    """The characters that are whole in a sound, in order, whatever is between them."""
    known, at, found = _alphabet(), 0, []
    while at + _BYTES <= len(pcm):
        character = known.get(pcm[at : at + _BYTES])
        at += 2 if character is None else _BYTES
        found += [] if character is None else [character]
    return "".join(found)
