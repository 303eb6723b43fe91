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

_CLOSERS = "\"'”’)]»*_"  # noqa: RUF001
_ENDING = re.compile(rf"[.!?…。！？]+[{re.escape(_CLOSERS)}]*(?=\s)|\n+")  # noqa: RUF001
_CLAUSE = re.compile(r"[,;:—–](?=\s)|\s[-–—](?=\s)")  # noqa: RUF001
_CONJUNCTION = re.compile(
    r"\s(?=(?:and|but|or|so|because|which|who|that|while|when|where|then|with)\s)"
)
_LAST_WORD = re.compile(r"(\S+)$")
_SPEAKABLE = re.compile(r"\w")


class Sentences:
    """Takes text as it is written, gives back what can be spoken already.

    ``feed`` and ``finish`` return pieces without surrounding white space, never empty and never
    of punctuation alone; joined, they are the text without white space at the cuts.
    """

    def __init__(self) -> None:
        self._text = ""
        self._begun = False

    def feed(self, text: str) -> list[str]:
        """The pieces that became complete with this text."""
        self._text += text
        pieces: list[str] = []
        while (end := self._next_end()) is not None:
            self._cut(end, pieces)
        return pieces

    def finish(self) -> list[str]:
        """The rest: nothing more will be written."""
        pieces: list[str] = []
        while len(self._text) > LONGEST_CHARS:
            self._cut(_longest_piece(self._text), pieces)
        self._cut(len(self._text), pieces)
        return pieces

    def _cut(self, end: int, pieces: list[str]) -> None:
        piece, self._text = self._text[:end].strip(), self._text[end:].lstrip()
        if not piece:
            return
        if _SPEAKABLE.search(piece) or not pieces:
            pieces.append(piece)
        else:
            pieces[-1] = f"{pieces[-1]} {piece}"
        self._begun = True

    def _next_end(self) -> int | None:
        sentence = _sentence_end(self._text)
        if not self._begun:
            clause = _first_clause_end(self._text)
            if clause is not None and (sentence is None or clause < sentence):
                return clause
        if sentence is not None and sentence <= LONGEST_CHARS:
            return sentence
        # A little more than the longest is awaited, so that its best cut can be seen.
        if len(self._text) > LONGEST_CHARS:
            return _longest_piece(self._text)
        return None


def _sentence_end(text: str) -> int | None:
    """Where the first sentence ends; None while it is not certain that it does.

    An end is certain once the character after the white space is known, because the next
    word's case decides about abbreviations.
    """
    for match in _ENDING.finditer(text):
        if "\n" in match.group() or _ends_sentence(text, match):
            return match.end()
    return None


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    mark = match.group().rstrip(_CLOSERS)
    if mark != ".":
        # "Wait... what" goes on; "No! I said" does not.
        following = text[match.end() :].lstrip()
        return mark not in {"...", "…"} or (following != "" and not following[0].islower())
    before, after = text[: match.start()], text[match.end() :].lstrip()
    if not _is_doubtful(before):
        return True
    word = _last_word(before)
    if not after:
        return False
    if word.isdigit():
        # "1. Open the door": the number of a list, not the end of a sentence.
        return False
    if word in _NEVER_NUMBERED:
        return not after[0].isdigit()
    return word in _MAY_END and after[0].isupper()


def _is_doubtful(before: str) -> bool:
    """Whether a full stop after this text may be part of the word before it."""
    word = _last_word(before)
    if word.isdigit():
        return before.strip() == word
    is_initial = len(word) == 1 and word.isalpha() and before[-1:].isupper()
    return is_initial or word in ABBREVIATIONS or word in _MAY_END


def _last_word(text: str) -> str:
    match = _LAST_WORD.search(text)
    return match.group(1).lower().lstrip("([\"'“‘") if match else ""  # noqa: RUF001


def _first_clause_end(text: str) -> int | None:
    for match in _CLAUSE.finditer(text):
        if match.start() >= FIRST_CLAUSE_CHARS and text[match.end() :].strip():
            return match.end()
    return None


def _longest_piece(text: str) -> int:
    """The best place to cut a text that is too long."""
    head = text[:LONGEST_CHARS]
    for pattern in (_ENDING, _CLAUSE, _CONJUNCTION):
        ends = [match.end() for match in pattern.finditer(head)]
        if ends and ends[-1] > LONGEST_CHARS // 3:
            return ends[-1]
    space = head.rfind(" ")
    return space if space > 0 else len(head)
