"""Words compared with words: the error rate of a transcript, and whose words they are.

Case, punctuation and the spelling of small numbers do not count. The rate is the usual one:
substitutions, deletions and insertions over the number of words that were said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

_WORD = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")

_HUNDRED, _THOUSAND, _MILLION = 100, 1_000, 1_000_000

_SAME = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "ok": "okay"}

LEAK_WORDS = 4
"""Words in a row that cannot be a coincidence."""


def spelled(number: int) -> list[str]:
    """A number from 0 to 999,999 in English words, without "and"."""
    if number < len(_UNITS):
        return [_UNITS[number]]
    if number < _HUNDRED:
        tens, rest = divmod(number, 10)
        return [_TENS[tens - 2], *(spelled(rest) if rest else [])]
    size, name = (_HUNDRED, "hundred") if number < _THOUSAND else (_THOUSAND, "thousand")
    many, rest = divmod(number, size)
    return [*spelled(many), name, *(spelled(rest) if rest else [])]


def words_of(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    plain = _THOUSANDS.sub("", text.replace("\u2019", "'").casefold())
    words: list[str] = []
    for word in _WORD.findall(plain):
        if word.isascii() and word.isdigit() and int(word) < _MILLION:
            words += spelled(int(word))
        else:
            words.append(_SAME.get(word, word))
    return words


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest substitutions, deletions and insertions between the two."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, 1):
        diagonal, row[0] = row[0], count
        for column, other in enumerate(heard, 1):
            best = min(diagonal + (word != other), row[column] + 1, row[column - 1] + 1)
            diagonal, row[column] = row[column], best
    return row[-1]


def error_rate(said: str, heard: str) -> float:
    """Errors over words said; may exceed 1. Of nothing said, it counts what was heard."""
    words = words_of(said)
    return errors(words, words_of(heard)) / max(1, len(words))


def total_error_rate(pairs: Iterable[tuple[str, str]]) -> float | None:
    """The rate over many pairs of said and heard, weighted by words; None where there are none."""
    wrong = count = 0
    for said, heard in pairs:
        words = words_of(said)
        wrong += errors(words, words_of(heard))
        count += len(words)
    return wrong / count if count else None


def leaked(heard: str, own: str, others: Iterable[str]) -> str | None:
    """Words in a row that were heard, that another said and that their own speaker did not."""
    foreign = [_joined(words_of(text)) for text in others]
    mine = _joined(words_of(own))
    words = words_of(heard)
    for start in range(len(words) - LEAK_WORDS + 1):
        run = _joined(words[start : start + LEAK_WORDS])
        if run not in mine and any(run in text for text in foreign):
            return run.strip()
    return None


def _joined(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "
