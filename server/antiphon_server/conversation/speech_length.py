"""How long words take to say, by how they are written.

In units of one letter, about 62 ms of ordinary English speech. The proportions were fitted to
the word times of two engines (flite and espeak-ng, 18 texts, least squares over 2,500 words);
they agree on them to a tenth, and other voices share them because they are the language's: a
digit is said as a word, ``$`` as "dollars", a comma is a pause, and words before a pause are
drawn out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

LETTER_MS = 62.0

_DIGIT = 5.3
_SIGN = 12.0
_SIGNS = frozenset("$%€£¥&@+=")
_LETTER_NAME = 3.3
_CLAUSE = frozenset(",;:\u2013\u2014")
_STOP = frozenset(".!?…。！？")  # noqa: RUF001
_CLOSERS = "\"'”’)]»」』*_"  # noqa: RUF001
_OPENERS = "\"'“‘(«「『*_"  # noqa: RUF001
_DRAWN_OUT_CLAUSE, _PAUSE_CLAUSE = 2.0, 2.0
_DRAWN_OUT_STOP, _PAUSE_STOP = 2.7, 2.9
_TAIL = 1.2
"""Silence that voices leave after the last word."""
_LONGEST_ACRONYM = 5
_WORDS_OF_ONE_LETTER = frozenset("AIO")


class Length(NamedTuple):
    """Of a word, and of the silence after it, in letters."""

    sound: float
    pause: float


def lengths(words: list[str]) -> list[Length]:
    """Of each word of a sentence; every one takes some time."""
    return [_length(word, last=at == len(words) - 1) for at, word in enumerate(words)]


def total(words: list[str]) -> float:
    """Of a whole sentence."""
    return sum(length.sound + length.pause for length in lengths(words))


@lru_cache(maxsize=4096)
def _length(word: str, *, last: bool) -> Length:
    """Remembered, because a text that grows is measured again and again."""
    ending = word.rstrip(_CLOSERS)[-1:]
    digits = sum(one.isdecimal() for one in word)
    signs = sum(one in _SIGNS for one in word)
    sound = max(1.0, _letters(word) + _DIGIT * digits + _SIGN * signs)
    if ending in _STOP:
        return Length(sound + _DRAWN_OUT_STOP, _TAIL if last else _PAUSE_STOP)
    if ending in _CLAUSE:
        return Length(sound + _DRAWN_OUT_CLAUSE, _TAIL if last else _PAUSE_CLAUSE)
    return Length(sound + (_DRAWN_OUT_STOP if last else 0.0), _TAIL if last else 0.0)


def _letters(word: str) -> float:
    """Letters of a word; of an acronym, which is spelled, the names of its letters."""
    letters = sum(one.isalpha() for one in word)
    bare = word.strip(_OPENERS + _CLOSERS + ".,;:!?")
    is_spelled = bare.isupper() and 0 < letters <= _LONGEST_ACRONYM
    if is_spelled and bare not in _WORDS_OF_ONE_LETTER:
        return letters * _LETTER_NAME
    return letters
