"""What a transcript says when it is read generously: digits, numbers, letters, dates.

A recogniser writes "one oh four" or "104", "A as in apple" or "a", "Smyth" or "Smith". Here all
of it becomes comparable. English, and of the other languages of the hosted service what is
needed to read out a number or a date. For comparing only: what is made here is never sent.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from antiphon_server.arguments.spoken_words import (
    ALPHABET,
    AMOUNTS,
    INSTEAD,
    LETTER_NAMES,
    MAY,
    MONTHS,
    ORDINAL_ENDS,
    ORDINALS,
    SCALES,
    SIGNS,
    TENS,
    TIMES,
    UNITS,
)

_BESIDE = re.compile(r"[\W_]+")
_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*")


def folded(text: str) -> str:
    """Without capitals, accents and typographic apostrophes; digits of any script as 0 to 9."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text.replace("\u2019", "'"))
    plain = "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter
        for letter in spread
        if not unicodedata.combining(letter)
    )
    return plain.casefold()


def tokens(text: str) -> list[str]:
    """Words and runs of digits, folded."""
    return _TOKEN.findall(folded(text))


def compact(text: str) -> str:
    """Only letters and digits, folded."""
    return _BESIDE.sub("", folded(text))


def is_number(token: str) -> bool:
    """Whether it stands for a number below a hundred, or for digits."""
    return token.isdecimal() or token in UNITS or token in TENS


def digits(words: list[str], *, whole_numbers: bool) -> list[str]:
    """The words with numbers in digits: ``double five``, ``twenty one``, ``oh`` understood.

    With ``whole_numbers`` "four hundred five" is 405; without, "eight hundred, five" is 800, 5.
    """
    written: list[str] = []
    at = 0
    while at < len(words):
        text, at = _number_at(words, at, whole_numbers=whole_numbers)
        written.append(text)
    return written


def _number_at(words: list[str], at: int, *, whole_numbers: bool) -> tuple[str, int]:
    """What stands for the word at ``at``, and where the next one begins."""
    word = words[at]
    following = words[at + 1] if at + 1 < len(words) else ""
    if word in TIMES and _single(following) is not None:
        return str(_single(following)) * TIMES[word], at + 2
    if word in ("o", "oh") and not (
        is_number(following) or following in TIMES or (at and is_number(words[at - 1]))
    ):
        return word, at + 1
    value, after = _below_hundred(words, at)
    if value is None:
        return word, at + 1
    if after < len(words) and words[after] in SCALES:
        number, after = _scaled(words, value, after, whole_numbers=whole_numbers)
        return str(number), after
    return words[at] if word.isdecimal() else str(value), after


def _single(word: str) -> int | None:
    """The digit that a word stands for."""
    value = int(word) if len(word) == 1 and word.isdecimal() else UNITS.get(word)
    return value if value is not None and value < 10 else None  # noqa: PLR2004


def _below_hundred(words: list[str], at: int) -> tuple[int | None, int]:
    """A number that ``hundred`` may follow, and where it ends; None where there is none."""
    if at >= len(words):
        return None, at
    word = words[at]
    if word.isdecimal():
        return int(word[:18]), at + 1
    if word in ("a", "an") and words[at + 1 : at + 2] and words[at + 1] in SCALES:
        return 1, at + 1
    if word in TENS:
        unit = UNITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return (TENS[word] + unit, at + 2) if 0 < unit < 10 else (TENS[word], at + 1)  # noqa: PLR2004
    return (UNITS[word], at + 1) if word in UNITS else (None, at)


def _scaled(words: list[str], value: int, at: int, *, whole_numbers: bool) -> tuple[int, int]:
    """A number that goes on with ``hundred`` or ``thousand``."""
    total, last = 0, 10**9
    while at < len(words) and words[at] in SCALES and SCALES[words[at]] < last:
        scale = SCALES[words[at]]
        total, value, last = total + value * scale, 0, scale
        at += 1
        if not whole_numbers:
            break
        skipped = at + 1 if at < len(words) and words[at] == "and" else at
        more, after = _below_hundred(words, skipped)
        if more is None or more >= last:
            break
        value, at = more, after
    return total + value, at


def numbers(words: list[str]) -> frozenset[int]:
    """All numbers that are named, ordinals too."""
    named = {int(word[:18]) for word in digits(words, whole_numbers=True) if word.isdecimal()}
    named |= {value for word, value in (ORDINALS | AMOUNTS).items() if word in words}
    for word, following in pairwise(words):
        if word in TENS and following in ORDINALS:
            named.add(TENS[word] + ORDINALS[following])
    return frozenset(named)


def months(words: list[str]) -> frozenset[int]:
    """The months that are named; ``may`` is one only beside a number."""
    found = set()
    for at, word in enumerate(words):
        near = words[max(0, at - 2) : at + 3]
        beside = any(is_number(one) or one in ORDINALS or one in ORDINAL_ENDS for one in near)
        if word in MONTHS and (word != MAY or beside):
            found.add(MONTHS[word])
    return frozenset(found)


def spelled(words: list[str]) -> list[str]:
    """The words with spelled letters as letters: ``bravo``, ``bee``, ``b as in boy``."""
    written: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        near = [*written[-1:], *words[at + 1 : at + 2]]
        if word in ALPHABET:
            word = ALPHABET[word]
        elif word in LETTER_NAMES and any(len(one) == 1 or is_number(one) for one in near):
            word = LETTER_NAMES[word]
        written.append(word)
        at += 1
        if len(word) == 1 and word.isalpha() and words[at : at + 1] and words[at] in INSTEAD:
            at += 3 if words[at : at + 2] in (["as", "in"], ["as", "for"]) else 2
    return written


def without_signs(words: list[str]) -> list[str]:
    """The words without those that stand for a sign, as in ``sam dot lee at``."""
    return [word for word in words if word not in SIGNS]


def sound(word: str) -> str:
    """The consonants of a word, as they sound: Smith and Smyth, Catherine and Kathryn are one."""
    text = folded(word)
    for letters, heard in (("ph", "f"), ("ck", "k"), ("x", "ks"), ("th", "t"), ("sch", "s")):
        text = text.replace(letters, heard)
    text = text.translate(str.maketrans("cqzvdg", "kksftk"))
    kept = [letter for letter in text if letter.isalnum() and letter not in "aeiouyhw"]
    return "".join(letter for at, letter in enumerate(kept) if at == 0 or kept[at - 1] != letter)
