"""When each word of a sentence is spoken, from what vendors tell of words or of characters."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from antiphon_providers.interfaces import Word


class Mark(Struct, frozen=True):
    """A word or, where ``is_part``, a character, in ms from the start of its context's sound."""

    text: str
    start_ms: float
    end_ms: float
    is_part: bool = False


class Timing:
    """Marks to words of a sentence, told once each; none after the first that is not its own."""

    def __init__(self, sentence: str) -> None:
        self._expected = deque(sentence.split())
        self._open: list[Mark] = []
        self._last = 0

    def take(self, marks: tuple[Mark, ...], offset_ms: float) -> tuple[Word, ...]:
        """The words that are complete by now."""
        words: list[Word | None] = []
        for mark in marks:
            moved = Mark(mark.text, mark.start_ms + offset_ms, mark.end_ms + offset_ms)
            if not mark.is_part:
                words.append(self._word(moved))
            elif mark.text.isspace() or not mark.text:
                words.append(self._close())
            else:
                self._open.append(moved)
        return tuple(word for word in words if word is not None)

    def end(self) -> tuple[Word, ...]:
        """The last."""
        word = self._close()
        return () if word is None else (word,)

    def _close(self) -> Word | None:
        marks, self._open = self._open, []
        if not marks:
            return None
        text = "".join(mark.text for mark in marks)
        return self._word(Mark(text, marks[0].start_ms, marks[-1].end_ms))

    def _word(self, mark: Mark) -> Word | None:
        if not self._expected or _bare(mark.text) != _bare(self._expected[0]):
            self._expected.clear()
            return None
        start = max(round(mark.start_ms), self._last)
        self._last = max(round(mark.end_ms), start)
        return Word(self._expected.popleft(), start, self._last)


def _bare(text: str) -> str:
    """A word without what is not spoken, as vendors differ in where they leave it."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text
