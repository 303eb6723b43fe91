"""Numbers as they are spoken: words to digits, digits to what a voice can say."""

from __future__ import annotations

import re
from fractions import Fraction

from antiphon_providers.local.dialogue.words import plain, table

_UNITS = {
    word: value
    for value, word in enumerate(
        table("""zero one two three four five six seven eight nine ten eleven twelve thirteen
        fourteen fifteen sixteen seventeen eighteen nineteen""")
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(table("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
} | {"fourty": 40}
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        table("""first . third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
        thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"""),
        1,
    )
    if word != "."
} | {"twentieth": 20, "thirtieth": 30}
_NUMERAL = re.compile(r"\d+(?:\.\d+)?")
_SIGNED = re.compile(r"(?:\b(minus|negative) )?(?<![\d.:])(\d+(?:\.\d+)?)\b(?!:\d)")
_TEN = 10
_HUNDRED = 100
_LONGEST_NUMERAL = 40


def numerals(text: str) -> str:
    """Plain text with number words written as digits: ``three point five`` as ``3.5``, ``four
    five two`` as ``4 5 2``, and ordinals (but ``second``) with ``th``: ``twenty third`` as
    ``23th``.
    """
    tokens = plain(text).split()
    digits: list[str] = []
    at = 0
    while at < len(tokens):
        number, after = _cardinal(tokens, at)
        if after == at:
            number, after = _figures(tokens, at)
        digits.append(number)
        at = after
    return re.sub(
        r"\b([23])0 ([1-9])th\b",
        r"\1\2th",
        re.sub(r"\b([23])0 second\b", r"\g<1>2th", " ".join(digits)),
    )


def _cardinal(tokens: list[str], start: int) -> tuple[str, int]:
    """The number in words that begins at ``start``, as digits, and where it ends."""
    total, current, at = 0, 0, start
    last = 10**12  # The size of the last part: the next must be smaller to belong to it.
    while at < len(tokens):
        token = tokens[at]
        nxt = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in _SCALES and current:
            current, total, last = _scaled(token, current, total)
        elif token in {"a", "an"} and nxt in _SCALES and at == start:
            current = 1
        elif (
            token == "and"  # noqa: S105
            and last in {_HUNDRED, 1000}
            and (nxt in _UNITS or nxt in _TENS)
        ):
            pass
        elif token in _TENS and last >= _HUNDRED:
            current, last = current + _TENS[token], _TEN
        elif token in _UNITS and (last >= _HUNDRED or (last == _TEN and 0 < _UNITS[token] < _TEN)):
            current, last = current + _UNITS[token], 1
        else:
            break
        at += 1
    return _with_decimals(str(total + current), tokens, at) if at > start else ("", start)


def _scaled(token: str, current: int, total: int) -> tuple[int, int, int]:
    scale = _SCALES[token]
    if scale == _HUNDRED:
        return current * scale, total, _HUNDRED
    return 0, total + current * scale, 1000


def _with_decimals(whole: str, tokens: list[str], at: int) -> tuple[str, int]:
    decimals = ""
    after = at + 1
    while at < len(tokens) and tokens[at] == "point" and after < len(tokens):
        token = tokens[after]
        if token in _UNITS and _UNITS[token] < _TEN:
            decimals += str(_UNITS[token])
        elif token.isdecimal() and not decimals:
            decimals += token
        else:
            break
        after += 1
    return (f"{whole}.{decimals}", after) if decimals else (whole, at)


def _figures(tokens: list[str], start: int) -> tuple[str, int]:
    """What is at ``start`` and is no cardinal in words: digits, an ordinal, any other word."""
    token = tokens[start]
    if token in _ORDINALS:
        return f"{_ORDINALS[token]}th", start + 1
    if not is_numeral(token):
        return token, start + 1
    number, after = _with_decimals(token, tokens, start + 1)
    nxt = tokens[after] if after < len(tokens) else ""
    if nxt in _SCALES:
        return written(Fraction(number) * _SCALES[nxt]), after + 1
    return number, after


def numbers_in(text: str) -> list[Fraction]:
    """All numbers of a text, in order; ``minus`` or ``negative`` before one makes it so."""
    return [
        Fraction(match[2]) * (-1 if match[1] else 1)
        for match in _SIGNED.finditer(numerals(text))
        if len(match[2]) <= _LONGEST_NUMERAL
    ]


def digits_in(text: str) -> str:
    """All digits as they were read out: ``double five``, ``oh`` and ``plus`` understood."""
    spoken = re.sub(r"\b(?:oh|o)\b", "0", numerals(text))
    spoken = re.sub(r"\bdouble (\d)\b", r"\1\1", spoken)
    spoken = re.sub(r"\btriple (\d)\b", r"\1\1\1", spoken)
    return "".join(re.findall(r"\d+", spoken))


def is_numeral(token: str) -> bool:
    """Whether it is a number in digits."""
    return len(token) <= _LONGEST_NUMERAL and _NUMERAL.fullmatch(token) is not None


def written(number: Fraction) -> str:
    """The number in digits, exact where four decimals suffice."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.4f}".rstrip("0").rstrip(".")


def spoken(number: Fraction) -> str:
    """The number for a voice: ``about 3.3333``, ``minus 2``."""
    digits = written(abs(number))
    sign = "minus " if number < 0 else ""
    exact = number.denominator == 1 or Fraction(digits) == abs(number)
    return f"{'' if exact else 'about '}{sign}{digits}"


def ordinal(number: int) -> str:
    """``1st``, ``22nd``, ``13th``."""
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
