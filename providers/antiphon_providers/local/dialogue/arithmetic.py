"""Arithmetic by voice, by a small grammar: no ``eval``, and no number too large to say.

sum     := product (("+" | "-") product)*
product := power (("*" | "/") power)*
power   := atom ("^" atom)?
atom    := "-" atom | "sqrt" atom | number
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction

from antiphon_providers.local.dialogue.conversation import Answer, Conversation, varied
from antiphon_providers.local.dialogue.spoken_numbers import numerals, spoken
from antiphon_providers.local.dialogue.words import clean, core

LARGEST = 10**15
"""Beyond this no voice can say the digits so that anybody follows."""
_MOST_TOKENS = 60

_ASKED = re.compile(
    r"^(?:can you |could you |please |and |so |then |now )*(?:(?:tell me "
    r"|do you know )?(?:what is|what are|how much is|how much are|what does|what would)"
    r"|calculate|compute|work out|figure out|solve|tell me|give me|what about|how about"
    r"|do the math)?(?: the)?(?: result of| answer to| value of)? "
)
_END = re.compile(r"(?: (?:equal to|equals?|make|makes|give|is|be|please|now|together))+$")
_REWRITES: tuple[tuple[str, str], ...] = (
    (r"square root of|root of", "sqrt"),
    (r"half of|half", "1 / 2 *"),
    (r"(?:a )?third of", "1 / 3 *"),
    (r"(?:a |1 )?quarter of", "1 / 4 *"),
    (r"(?:twice|double)", "2 *"),
    (r"triple", "3 *"),
    (r"(?:percent|per cent) of", "/ 100 *"),
    (r"(?:percent|per cent)", "/ 100"),
    (r"(?:sum|total) of (.+?) and", r"\1 +"),
    (r"difference between (.+?) and", r"\1 -"),
    (r"product of (.+?) and", r"\1 *"),
    (r"(?:add|sum) (.+?) (?:and|to)", r"\1 +"),
    (r"subtract (\S+) from (\S+)", r"\2 - \1"),
    (r"multiply (.+?) (?:and|by|with)", r"\1 *"),
    (r"divide (.+?) by", r"\1 /"),
    (r"(?:raised )?to the power (?:of )?(\S+)|to the (\d+)(?:th| rd)?(?: power)?", r"^ \1\2"),
    (r"squared", "^ 2"),
    (r"cubed", "^ 3"),
    (r"multiplied by|times", "*"),
    (r"divided by|over", "/"),
    (r"plus|added to", "+"),
    (r"minus|less|take away", "-"),
    (r"negative", "-"),
)
_SYMBOLS = (
    ("\N{MULTIPLICATION SIGN}", " times "),
    ("\N{MINUS SIGN}", " minus "),
    ("÷", " divided by "),
    ("*", " times "),
    ("+", " plus "),
    ("=", " "),
    ("%", " percent "),
    ("^", " to the power of "),
    ("√", " square root of "),
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?|sqrt|[-+*/^]")


class TooLarge(Exception):
    """A result that is too large to compute or to say."""


class NotReal(Exception):
    """A result that is no real number."""


def calculated(conversation: Conversation) -> Answer | None:
    """Works out a calculation that is the whole of the utterance."""
    expression = expression_in(conversation.utterance or "")
    if expression is None:
        return None
    try:
        result = value_of(expression)
    except ZeroDivisionError:
        return Answer("Nobody can divide by zero, not even me.")
    except TooLarge:
        return Answer("That number is too large for me to say.")
    except NotReal:
        return Answer("A negative number has no real square root.")
    if result is None:
        return None
    told = spoken(result)
    return Answer(varied(conversation, (f"That's {told}.", f"It's {told}.", f"That makes {told}.")))


def expression_in(text: str) -> list[str] | None:
    """The tokens of a calculation; None where the text says anything else, too."""
    kept = re.sub(r"(?<=\d)\s*[x/]\s*(?=\d)", _operator, clean(text, 400).lower())
    kept = re.sub(r"(?:(?<=\s)|(?<=\d)|^)-\s*(?=\d)", " minus ", kept)
    for symbol, name in _SYMBOLS:
        kept = kept.replace(symbol, name)
    told = _ASKED.sub("", f"{core(numerals(kept))} ").strip().removeprefix("the ")
    told = _END.sub("", told)
    told = re.sub(r"(?<=\d) x (?=\d)", " * ", told)
    for said, written in _REWRITES:
        told = re.sub(rf"(?<!\S)(?:{said})(?!\S)", written, told)
    tokens = told.split()
    enough = 1 < len(tokens) <= _MOST_TOKENS
    if not enough or not all(_TOKEN.fullmatch(token) and len(token) <= 40 for token in tokens):  # noqa: PLR2004
        return None
    return tokens if any(not token[0].isdigit() for token in tokens) else None


def _operator(match: re.Match[str]) -> str:
    return " times " if "x" in match[0] else " divided by "


def value_of(tokens: list[str]) -> Fraction | None:
    """The value; None where the tokens are no calculation.

    Raises ``ZeroDivisionError``, ``TooLarge`` and ``NotReal``.
    """
    reader = _Reader(tokens)
    try:
        result = reader.sum()
    except SyntaxError:
        return None
    if reader.left:
        return None
    return _bounded(result)


def _bounded(number: Fraction) -> Fraction:
    if abs(number) > LARGEST or number.denominator > LARGEST**2:
        raise TooLarge
    return number


class _Reader:
    """Reads tokens from the left, one function for each line of the grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self.left = list(tokens)

    def sum(self) -> Fraction:
        return self._series({"+": Fraction.__add__, "-": Fraction.__sub__}, self._product)

    def _product(self) -> Fraction:
        return self._series({"*": Fraction.__mul__, "/": Fraction.__truediv__}, self._power)

    def _series(
        self,
        operations: dict[str, Callable[[Fraction, Fraction], Fraction]],
        part: Callable[[], Fraction],
    ) -> Fraction:
        total = part()
        while self.left and self.left[0] in operations:
            operation = operations[self.left.pop(0)]
            total = _bounded(operation(total, part()))
        return total

    def _power(self) -> Fraction:
        base = self._atom()
        if not self.left or self.left[0] != "^":
            return base
        self.left.pop(0)
        exponent = self._atom()
        if exponent.denominator != 1 or abs(exponent) > 64:  # noqa: PLR2004
            raise TooLarge
        if base == 0 and exponent < 0:
            raise ZeroDivisionError
        return _bounded(base ** int(exponent))

    def _atom(self) -> Fraction:
        if not self.left:
            raise SyntaxError
        token = self.left.pop(0)
        if token == "-":  # noqa: S105
            return -self._atom()
        if token == "sqrt":  # noqa: S105
            return _root(self._power())
        if not token[0].isdigit():
            raise SyntaxError
        return _bounded(Fraction(token))


def _root(number: Fraction) -> Fraction:
    if number < 0:
        raise NotReal
    top, bottom = math.isqrt(number.numerator), math.isqrt(number.denominator)
    exact = Fraction(top, bottom)
    if exact * exact == number:
        return exact
    return Fraction(math.sqrt(number)).limit_denominator(10**9)
