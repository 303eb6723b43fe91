"""Words, as a model writes them, into pieces worth speaking.

A piece is a sentence, or the first clause of a reply, which is let go early because the caller
waits for it, or a part of a sentence too long to wait for its end. A piece is never cut inside
a word, a number, an abbreviation, an initial, a date or an address of the web.
"""

from __future__ import annotations

import re

FIRST_CLAUSE_CHARS = 24
"""The first clause goes early if it is at least this long: about 1.5 s of speech, which covers
the time in which the next piece is written and synthesised.
"""
LONGEST_CHARS = 220
"""A longer piece is cut at the best place before this: a clause, a conjunction, a space."""

ABBREVIATIONS = frozenset(
    {
        "adm", "approx", "apr", "apt", "aug", "ave", "blvd", "capt", "cf", "co", "col", "corp",
        "dec", "dept", "dr", "e.g", "est", "etc", "feb", "fig", "fri", "gen", "gov", "hon",
        "hr", "hrs", "i.e", "inc", "jan", "jr", "jul", "jun", "lt", "ltd", "maj", "mar", "max",
        "mess", "min", "misc", "mon", "mr", "mrs", "ms", "msgr", "mt", "no", "nos", "nov",
        "oct", "p", "ph.d", "pp", "prof", "rd", "rep", "rev", "sat", "sen", "sep", "sept",
        "sgt", "sq", "sr", "st", "sun", "tel", "thu", "tue", "u.k", "u.s", "vol", "vs", "wed",
    }
)  # fmt: skip
"""What a full stop may follow without ending a sentence."""

_MAY_END = frozenset(
    {"a.m", "co", "corp", "etc", "inc", "jr", "ltd", "p.m", "ph.d", "sr", "u.k", "u.s"}
)
"""Abbreviations that do end one where the next word begins with a capital."""

_NEVER_NUMBERED = frozenset(
    {"no", "nos", "p", "pp", "vol", "fig", "mar", "min", "sat", "sun", "max"}
)
"""Abbreviations that are also words: they count only before a digit."""

_CLOSERS = "\"'”’)]»」』*_"  # noqa: RUF001
_ENDING = re.compile(
    rf"[.!?…。！？]+[{re.escape(_CLOSERS)}]*(?=\s)"  # noqa: RUF001
    rf"|[。！？]+[{re.escape(_CLOSERS)}]*(?=[^.!?…。！？{re.escape(_CLOSERS)}])|\n+"  # noqa: RUF001
)
_CLAUSE = re.compile(r"[,;:—–](?=\s)|\s[-–—](?=\s)|[，、；：](?=.)")  # noqa: RUF001
_CONJUNCTION = re.compile(
    r"\s(?=(?:and|but|or|so|because|which|who|that|while|when|where|then|with)\s)"
)
_SPACE = re.compile(r"\s")
_LAST_END = re.compile(rf"[.!?…。！？]+[{re.escape(_CLOSERS)}]*\Z")  # noqa: RUF001
_LAST_WORD = re.compile(r"(\S+)$")
_SPEAKABLE = re.compile(r"[^\W_]")


class Sentences:
    """Takes text as it is written, gives back what can be spoken already.

    ``feed`` and ``finish`` return pieces without surrounding white space, never empty, and of
    punctuation alone only where the whole text is; joined, they are the text without white
    space at the cuts. However the text is divided among ``feed``s, the pieces are the same.
    """

    def __init__(self) -> None:
        self._text = ""
        self._begun = False

    def feed(self, text: str) -> list[str]:
        """The pieces that became complete with this text."""
        self._text = (self._text + text).lstrip()
        pieces: list[str] = []
        while (end := self._next_end()) is not None:
            pieces.append(self._text[:end].rstrip())
            self._text = self._text[end:].lstrip()
            self._begun = True
        return pieces

    def hurry(self) -> list[str]:
        """The words that are complete, though their piece is not: the caller waits too long."""
        end = len(self._text)
        if not _seems_over(self._text):
            end -= len(_SPACE.split(self._text)[-1])
        words = self._text[:end].rstrip()
        if not _SPEAKABLE.search(words):
            return []
        self._text, self._begun = self._text[end:], True
        return [words]

    def finish(self) -> list[str]:
        """The rest: nothing more will be written."""
        rest, self._text = self._text.rstrip(), ""
        return [rest] if rest else []

    def _next_end(self) -> int | None:
        """Where the first piece ends; None while more must be seen.

        Only as much of the text counts as is needed to be sure, so that what was written
        beyond it in the same breath makes no difference.
        """
        first = _SPEAKABLE.search(self._text)
        if first is None:
            return None
        longest = first.start() + LONGEST_CHARS
        # One more character shows whether an ending at the very limit is one.
        seen = self._text[: longest + 1]
        ends = [_sentence_end(seen, first.end())]
        if not self._begun:
            ends.append(_first_clause_end(seen, first.end()))
        found = [end for end in ends if end is not None]
        if found:
            return min(found)
        if len(seen) > longest:
            end = first.start() + _longest_piece(seen[first.start() : longest])
            # Punctuation that ends the text must not be left alone.
            return end if _SPEAKABLE.search(self._text, end) else None
        return None


def _sentence_end(text: str, least: int) -> int | None:
    """Where the first sentence ends after ``least``; None while it is not certain that it does.

    An end is certain once the next word has begun, because its case decides about
    abbreviations, and because punctuation at the end of the text must not be left alone.
    """
    for match in _ENDING.finditer(text, least):
        if not _SPEAKABLE.search(text, match.end()):
            return None
        if "\n" in match.group() or _ends_sentence(text, match):
            return match.end()
    return None


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    mark = match.group().rstrip(_CLOSERS)
    before, after = text[: match.start()], text[match.end() :].lstrip()
    if mark != ".":
        # "Wait... what" and "“Stop!” he said" go on; "No! I said" does not.
        goes_on = mark in {"...", "…"} or mark != match.group()
        return not (goes_on and after[0].islower())
    word = _last_word(before)
    if not _is_doubtful(before, word):
        return True
    if word in _NEVER_NUMBERED:
        return not after[0].isdigit()
    # Nothing ends after an initial, or after the number of a list: "1. Open the door".
    return word in _MAY_END and after[0].isupper()


def _is_doubtful(before: str, word: str) -> bool:
    """Whether a full stop after this text may be part of the word before it."""
    if word.isdigit():
        return before.strip() == word
    is_initial = len(word) == 1 and word.isalpha() and before[-1:].isupper()
    return is_initial or word in ABBREVIATIONS or word in _MAY_END


def _seems_over(text: str) -> bool:
    """Whether a text that goes on later, if at all, ends with a sentence."""
    match = _LAST_END.search(text)
    if match is None:
        return False
    word = _last_word(text[: match.start()])
    return not word[-1:].isdigit() and not _is_doubtful(text[: match.start()], word)


def _last_word(before: str) -> str:
    match = _LAST_WORD.search(before)
    return match.group(1).lower().lstrip("([\"'“‘") if match else ""  # noqa: RUF001


def _first_clause_end(text: str, least: int) -> int | None:
    for match in _CLAUSE.finditer(text, least):
        if match.start() >= FIRST_CLAUSE_CHARS and _SPEAKABLE.search(text, match.end()):
            return match.end()
    return None


def _longest_piece(text: str) -> int:
    """The best place to cut a text that is too long."""
    for pattern in (_CLAUSE, _CONJUNCTION):
        ends = [match.end() for match in pattern.finditer(text)]
        if ends and ends[-1] > LONGEST_CHARS // 3:
            return ends[-1]
    spaces = [match.start() for match in _SPACE.finditer(text)]
    return spaces[-1] if spaces else len(text)
