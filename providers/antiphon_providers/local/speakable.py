"""Text as a simple voice can say it: written signs become words, ornaments vanish.

Word by word, so that what is spoken can be led back to what was written.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class SpokenWord(NamedTuple):
    """A word as written, and as it is said: several words, or none."""

    written: str
    said: str


_LETTERS = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u2032": "'", "\u02bc": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2212": "-",
    "\u2013": "\u2014", "\u2015": "\u2014", "\u2026": "...",
    "\u00df": "ss", "\u00e6": "ae", "\u00f8": "o", "\u0153": "oe", "\u0142": "l", "\u0111": "d",
})  # fmt: skip

_RULES = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        # Markdown: links, code, emphasis, headings, list bullets.
        (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"),
        (r"\]\([^)]*\)?", ""),
        (r"[`*~_|<>{}\[\]^\\]+", " "),
        (r"^#+$", ""),
        # Addresses.
        (r"^\(?(?:https?://|mailto:)", ""),
        (r"(?<=[\w.])@(?=\w)", " at "),
        (r"(?<=[a-z])\.(?=(?:com|org|net|io|dev|ai|edu|gov|uk|us|eu|de)\b)", " dot "),
        (r"^www\.", "w w w dot "),
        # Amounts and signs.
        (r"([\u20ac\u00a3\u00a5])(\d[\d.,]*\d|\d)", r"\2 \1"),
        (r"\u20ac", " euros"),
        (r"\u00a3", " pounds"),
        (r"\u00a5", " yen"),
        (r"^\$$", "dollars"),
        (r"(?<=\d)\s*%", " percent"),
        (r"^%$", "percent"),
        (r"\u00b0C\b", " degrees Celsius"),
        (r"\u00b0F\b", " degrees Fahrenheit"),
        (r"\u00b0", " degrees"),
        (r"^#(?=\d)", "number "),
        (r"(?<=\b[A-G])#", " sharp"),
        (r"^-(?=[\d.])", "minus "),
        (r"(?<=\d)\u2014(?=\d)", " to "),
        (r"(?<=\d)[\u00d7](?=\d)", " times "),
        (r"^[\u00d7]$", "times"),
        (r"(?<=\w)\+(?=\W|$)", " plus"),
        (r"\+", " plus "),
        (r"=", " equals "),
        (r"&", " and "),
        (r"^@$", "at"),
        (r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
        (r"^24/7\b", "twenty four seven"),
        # Pauses.
        (r"\s*(?:\u2014|--+)\s*", ", "),
        (r"\.{2,}", "."),
        (r"[()\";/#]+", " "),
    )
)
_DASH = re.compile("[-\u2010-\u2015]+")
_EDGES = re.compile(r"^[\s',.:!?-]*(?=\w)|^[^\w]+$")


def spoken_words(text: str) -> list[SpokenWord]:
    """The words of a text, each with what is said for it; ASCII only."""
    words: list[SpokenWord] = []
    for written in text.split():
        said = _said(written)
        if not said and words and _DASH.fullmatch(written) and words[-1].said[-1:].isalnum():
            # A dash on its own is a pause after the word before it.
            words[-1] = SpokenWord(words[-1].written, words[-1].said + ",")
        words.append(SpokenWord(written, said))
    return words


def spoken(text: str) -> str:
    """What is said for a text; empty where there is nothing to say."""
    return " ".join(word.said for word in spoken_words(text) if word.said)


def _said(word: str) -> str:
    said = word.translate(_LETTERS)
    for pattern, replacement in _RULES:
        said = pattern.sub(replacement, said)
    said = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode()
    said = "".join(letter for letter in said if letter.isprintable())
    parts = (_tidied(part) for part in said.split())
    return " ".join(part for part in parts if part)


def _tidied(part: str) -> str:
    """Without punctuation before it; nothing at all where it is only punctuation."""
    if not any(letter.isalnum() for letter in part):
        return ""
    return _EDGES.sub("", part).rstrip("'-")


def clauses(words: list[SpokenWord], longest: int) -> list[list[SpokenWord]]:
    """The words in runs of at most some ``longest`` letters, cut after punctuation if there is
    any, and elsewhere only when they would be half as long again.
    """
    runs: list[list[SpokenWord]] = []
    run: list[SpokenWord] = []
    pause = 0
    for word in words:
        run.append(word)
        if word.said.endswith((",", ".", "?", "!", ":")):
            pause = len(run)
        letters = sum(len(each.said) + 1 for each in run)
        if letters > longest and (pause or letters > longest * 1.5):
            at = pause or len(run)
            runs.append(run[:at])
            run, pause = run[at:], 0
    return [*runs, run] if run else runs
