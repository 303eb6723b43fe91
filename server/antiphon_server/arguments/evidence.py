"""What has been said and read in a call, as what an argument may come from.

Asked generously: wherever it is in doubt whether something was said, it was.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cached_property

import msgspec
from msgspec import Struct

from antiphon_server.arguments import spoken
from antiphon_server.arguments.spoken_words import DAY_WORDS, HOUR_WORDS

MOST_TEXTS = 400
MOST_CHARACTERS = 60_000
"""Of each kind, the newest: an hour of speech. Reading as much takes some 30 ms."""

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s().\-/]+(?=\d)")
_LEAST_PART = 3
_MOST_PARTS = 3
_LEAST_OF_PARTS = 6
"""A long number may have been said in three parts of three digits or more, or with a slip."""
_COUNTRY_CODES = (1, 2, 3)
_LEAST_SUBSCRIBER = 8
"""Digits without the country's code; with fewer, what was left out is an area code."""
_ALIKE = 0.8
_NEARLY = 0.75
_LEAST_NEARLY = 5
_LEAST_SOUND = 2
_HALF_PAST = 30


class Sources(Struct, frozen=True):
    """Texts of the call so far, oldest first. ``system_texts`` are the system prompt, system
    messages and the instructions of ``reply.create``: the hosted service may not count them
    (protocol section 3.3), here they count.
    """

    user_turns: tuple[str, ...] = ()
    tool_results: tuple[str, ...] = ()
    system_texts: tuple[str, ...] = ()


class Evidence:
    """The sources, made comparable; each form when it is first asked for."""

    def __init__(self, sources: Sources) -> None:
        self._said = _newest(sources.user_turns)
        self._read = [
            *map(_unescaped, _newest(sources.tool_results)),
            *_newest(sources.system_texts),
        ]

    @cached_property
    def is_legible(self) -> bool:
        """Whether the user speaks a language whose letters are Latin: of others, number words
        and names are not known here.
        """
        letters = [letter for text in self._said for letter in text if letter.isalpha()]
        return all("LATIN" in unicodedata.name(letter, "LATIN") for letter in set(letters))

    # --- digits and letters --------------------------------------------------------------

    def has_digits(self, digits: str) -> bool:
        """Whether a number was read out, as a whole or in a few parts, or read."""
        if any(digits in stream for stream in self._streams) or self._reads_digits(digits):
            return True
        bare = digits.lstrip("0")
        if bare != digits and bare and int(bare[:18]) in self.numbers:
            return True
        return len(digits) >= _LEAST_OF_PARTS and any(
            _in_parts(digits, stream) for stream in self._streams
        )

    def has_phone(self, digits: str) -> bool:
        """The same; a country code may have been left out, or a leading zero put for it."""
        if self.has_digits(digits):
            return True
        rests = (digits[size:] for size in _COUNTRY_CODES)
        return any(len(rest) >= _LEAST_SUBSCRIBER and self.has_digits(rest) for rest in rests)

    def has_code(self, code: str) -> bool:
        """Whether a compact text of letters and digits was said, spelled out, or read; nearly
        counts for a long one, and ``o`` for ``0``.
        """
        wanted = code.replace("o", "0")
        if any(wanted in said.replace("o", "0") for said in self._compacts):
            return True
        digits = "".join(letter for letter in code if letter.isdecimal())
        if len(digits) >= _LEAST_PART and not self.has_digits(digits):
            return False
        return _nearly_in(wanted, self._spelled_out.replace("o", "0"))

    def has_nearly(self, letters: str) -> bool:
        """Whether a compact text was said, up to what a recogniser gets wrong of a name."""
        return any(_nearly_in(letters, said) for said in self._compacts)

    def has_text(self, compact: str) -> bool:
        """Whether a compact text stands in what was said or read, as it is."""
        return any(compact in said for said in self._compacts)

    def reads(self, text: str) -> bool:
        """Whether a text stands in what was read, letter for letter."""
        return any(text in one for one in self._read)

    def _reads_digits(self, digits: str) -> bool:
        alone = re.compile(rf"(?<!\d){digits}|{digits}(?!\d)")
        return any(alone.search(one) for one in self._read_digits)

    # --- words ---------------------------------------------------------------------------

    def has_word(self, word: str) -> bool:
        """Whether a word was said or read, or one that looks or sounds like it."""
        word = spoken.folded(word)
        if word in self._vocabulary or (len(word) > _LEAST_PART and self.has_text(word)):
            return True
        heard = spoken.sound(word)
        if len(heard) >= _LEAST_SOUND and heard in self._sounds:
            return True
        return any(
            other[0] == word[0]
            and abs(len(other) - len(word)) <= _LEAST_SOUND
            and SequenceMatcher(None, other, word, autojunk=False).ratio() >= _ALIKE
            for other in self._vocabulary
        )

    # --- dates and times -----------------------------------------------------------------

    def has_day(self, month: int, day: int, *, coming: bool = True) -> bool:
        """Whether a day was named, or with ``coming`` words such as ``tomorrow`` were said."""
        if coming and not DAY_WORDS.isdisjoint(self._words):
            return True
        if self._months:
            return month in self._months
        figures = (f"{month:02}{day:02}", f"{day:02}{month:02}")
        return day in self.numbers or any(
            one in stream for one in figures for stream in self._streams
        )

    def has_hour(self, hour: int, minute: int) -> bool:
        """Whether a time was named, or words such as ``morning`` were said."""
        if not HOUR_WORDS.isdisjoint(self._words):
            return True
        # A quarter to eight is 7:45.
        hours = {hour, hour + 1} if minute >= _HALF_PAST else {hour}
        if self.numbers & {form for one in hours for form in (one % 12, one % 12 + 12, one % 24)}:
            return True
        return any(f"{hour}{minute:02}" in stream for stream in self._streams)

    # --- forms ---------------------------------------------------------------------------

    @cached_property
    def _words(self) -> list[str]:
        return spoken.tokens("\n".join(self._said))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers that the user named."""
        return spoken.numbers(self._words)

    @cached_property
    def _months(self) -> frozenset[int]:
        return spoken.months(self._words)

    @cached_property
    def _streams(self) -> tuple[str, ...]:
        """All digits the user read out, one after the other."""
        readings = (spoken.digits(self._words, whole_numbers=whole) for whole in (True, False))
        return tuple({"".join(one for one in reading if one.isdecimal()) for reading in readings})

    @cached_property
    def _compacts(self) -> tuple[str, ...]:
        bare = spoken.without_signs(self._words)
        forms = (
            self._words,
            bare,
            spoken.digits(bare, whole_numbers=True),
            spoken.digits(bare, whole_numbers=False),
            spoken.digits(spoken.spelled(bare), whole_numbers=False),
        )
        said = {self._spelled_out, *("".join(form) for form in forms)}
        return (*said, *map(spoken.compact, self._read))

    @cached_property
    def _spelled_out(self) -> str:
        """Single letters and digits only, whatever was said between them."""
        letters = spoken.spelled(spoken.without_signs(self._words))
        read = spoken.digits(letters, whole_numbers=False)
        return "".join(one for one in read if len(one) == 1 or one.isdecimal())

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self._words).union(*map(spoken.tokens, self._read))

    @cached_property
    def _sounds(self) -> frozenset[str]:
        return frozenset(map(spoken.sound, self._vocabulary))

    @cached_property
    def _read_digits(self) -> list[str]:
        merged = (_BETWEEN_DIGITS.sub("", one) for one in self._read)
        return [*self._read, *merged]


def _newest(texts: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    left = MOST_CHARACTERS
    for text in reversed(texts[-MOST_TEXTS:]):
        if left <= 0:
            break
        kept.append(text[:left])
        left -= len(text)
    return kept[::-1]


def _unescaped(result: str) -> str:
    """JSON with its letters as they are, not as escapes."""
    if "\\u" not in result:
        return result
    try:
        return msgspec.json.encode(msgspec.json.decode(result)).decode()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return result


def _in_parts(digits: str, stream: str) -> bool:
    """Whether a number is made of at most three parts that follow each other in the stream."""
    # How many digits are found, and where in the stream the last of them ends at the earliest.
    reached = {0: 0}
    for _ in range(_MOST_PARTS):
        further: dict[int, int] = {}
        for start, position in reached.items():
            for end in range(start + _LEAST_PART, len(digits) + 1):
                at = stream.find(digits[start:end], position)
                if at < 0:
                    break
                further[end] = min(further.get(end, len(stream)), at + end - start)
        if len(digits) in further:
            return True
        reached = further
    return False


def _nearly_in(wanted: str, said: str) -> bool:
    if len(wanted) < _LEAST_NEARLY:
        return False
    matcher = SequenceMatcher(None, said, wanted, autojunk=False)
    return matcher.find_longest_match().size >= _NEARLY * len(wanted)
