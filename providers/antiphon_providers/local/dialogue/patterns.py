"""Regular expressions of tool schemas, run only where they cannot run for long.

A schema comes from a client, and Python's ``re`` backtracks: ``(a+)+$`` on thirty letters takes
minutes and cannot be cancelled. Before a pattern runs, the number of ways it could split the
value is estimated from its quantifiers; a pattern that is invalid, or that could take more than
``MOST_WAYS``, is not applied: the tool will check its own arguments.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

LONGEST_PATTERN = 300
LONGEST_VALUE = 300
MOST_WAYS = 1_000_000
"""About 20 ms of matching at worst."""

_PIECE = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?P<kind>\?[:=!]|\?P<\w+>)?)"
    r"|(?P<close>\))|(?P<or>\|)|(?P<repeat>[*+?]|\{\d*,?\d*\})(?P<lazy>[?+]?)|(?P<other>.)",
    re.DOTALL,
)


def fits(pattern: str, value: str) -> bool:
    """Whether the whole value has the pattern's shape; True where that cannot be told."""
    usable = compiled(pattern)
    if usable is None or len(value) > LONGEST_VALUE or ways(pattern, len(value)) > MOST_WAYS:
        return True
    return usable.fullmatch(value) is not None


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern; None where it is too long or no regular expression."""
    if len(pattern) > LONGEST_PATTERN:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError, ValueError):
        return None


@lru_cache(maxsize=1024)
def ways(pattern: str, length: int) -> float:
    """At most how many ways the pattern can be laid over ``length`` characters.

    Choices in sequence multiply; a repeated group multiplies its own choices once for each
    repetition; a back-reference or another construct not understood counts as infinite.
    """
    stack = [1.0]
    group = 1.0  # The ways of the piece just read, which a quantifier may repeat.
    for piece in _PIECE.finditer(pattern):
        if piece["repeat"]:
            stack[-1] *= _repeated(piece["repeat"], group, length)
            group = 1.0
            continue
        stack[-1] *= group
        group = 1.0
        if piece["open"]:
            if pattern.startswith("(?", piece.start()) and not piece["kind"]:
                return float("inf")
            stack.append(1.0)
        elif piece["close"]:
            if len(stack) == 1:
                return float("inf")
            group = stack.pop()
        elif piece["or"]:
            stack[-1] *= 2
        elif piece["escape"] and piece["escape"][1].isdigit():
            return float("inf")
    return min(stack[-1] * group, float("inf")) if len(stack) == 1 else float("inf")


def _repeated(quantifier: str, group: float, length: int) -> float:
    """The ways of a piece with ``group`` ways of its own, under a quantifier."""
    least, most = _bounds(quantifier, length)
    choices = float(most - least + 1)
    try:
        return choices * group ** min(most, length)
    except OverflowError:
        return float("inf")


def _bounds(quantifier: str, length: int) -> tuple[int, int]:
    simple = {"*": (0, length), "+": (1, max(length, 1)), "?": (0, 1)}
    if quantifier in simple:
        return simple[quantifier]
    low, comma, high = quantifier[1:-1].partition(",")
    least = min(int(low or 0), length)
    return least, max(least, min(int(high), length) if high else length if comma else least)
