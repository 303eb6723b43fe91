"""One sentence as it is spoken, perhaps by two voices one after the other. Pure.

Times are milliseconds from the start of the sentence's sound, whoever makes it.
"""

from __future__ import annotations

from antiphon_providers.interfaces import Word

LETTER_MS = 62.0
"""Of ordinary English speech, white space counted as a letter."""
PRIOR_LETTERS = 12.0
"""The pace expected beforehand counts for as much as so many letters heard: about a word."""


class Pace:
    """How fast a voice speaks, as far as its ended sentences have shown it."""

    def __init__(self) -> None:
        self._letters = PRIOR_LETTERS
        self._ms = PRIOR_LETTERS * LETTER_MS

    def heard(self, text: str, ms: float) -> None:
        """A text took so long."""
        letters = len(" ".join(text.split()))
        if letters and ms:
            self._letters += letters
            self._ms += ms

    @property
    def letter_ms(self) -> float:
        """Milliseconds a letter."""
        return self._ms / self._letters


class SpokenSentence:
    """What of a sentence was sounded, and what is left to say.

    Times of words are passed on once the word has sounded: those of a word that a voice did not
    finish are then given by the one that says it again. Where the voices do not agree whether
    they give times, the missing ones are estimated if some were passed on, and otherwise none
    are.
    """

    def __init__(self, text: str) -> None:
        self.ms = 0.0
        """Sounded so far."""
        self._text = text
        self._words = text.split()
        self._said = 0
        """Words of which it is known that they were said."""
        self._began_ms = 0.0
        """Where the present voice came in, with this many words said."""
        self._began_at = 0
        self._known: list[Word] = []
        """Not passed on."""
        self._passed = False
        self._mute = False
        """Whether a part was said without times, so that those of the rest would be misread."""
        self._timed_until_ms = 0.0

    @property
    def rest(self) -> str:
        """What the next voice has to say; the text itself if nothing was said."""
        return " ".join(self._words[self._said :]) if self._said else self._text

    @property
    def text(self) -> str:
        """All of it."""
        return self._text

    @property
    def is_said(self) -> bool:
        """Whether sound was made of it, and no word is left."""
        return self.ms > 0 and self._said == len(self._words)

    @property
    def has_words(self) -> bool:
        """Whether a voice must make a sound to say the rest."""
        return any(letter.isalnum() for letter in self.rest)

    @property
    def is_begun(self) -> bool:
        """Whether the present voice has made a sound of it."""
        return self.ms > self._began_ms

    def sounded(self, ms: float, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """So much more sound, and the words that the voice timed, from where it came in. Those
        are returned that have sounded by now.
        """
        self.ms += ms
        if not self._mute:
            self._known += [_later(word, self._began_ms) for word in words]
        return self._pass_on([word for word in self._known if word.end_ms <= self.ms])

    def ended(self) -> tuple[Word, ...]:
        """The voice has said the rest: its words that were not passed on yet."""
        last = self._pass_on(self._known)
        left = self._words[self._said :]
        if self._passed and self._said == self._began_at and left:
            # The voice before gave times, this one does not.
            pace = (self.ms - self._began_ms) / len(" ".join(left))
            last += tuple(_timed(left, self._began_ms, pace))
        self._said = len(self._words)
        return last

    def broke_off(self, letter_ms: float) -> tuple[Word, ...]:
        """The voice fell silent: settles what it has said. The words that it said without
        timing them are returned if there were others with times.
        """
        said: list[Word] = []
        if self.is_begun and not self._known:
            timed = self._said > self._began_at and self._passed
            since = self._timed_until_ms + letter_ms if timed else self._began_ms
            estimates = _timed(self._words[self._said :], since, letter_ms)
            said = [word for word in estimates if word.end_ms <= self.ms]
        self._known = []
        self._said += len(said)
        self._mute = self._mute or (bool(said) and not self._passed)
        self._began_ms, self._began_at = self.ms, self._said
        return tuple(said) if self._passed else ()

    def _pass_on(self, words: list[Word]) -> tuple[Word, ...]:
        passed = tuple(words)
        del self._known[: len(passed)]
        self._said += len(passed)
        if passed:
            self._passed = True
            self._timed_until_ms = passed[-1].end_ms
        return passed


def _later(word: Word, ms: float) -> Word:
    return Word(word.text, round(word.start_ms + ms), round(word.end_ms + ms)) if ms else word


def _timed(words: list[str], start_ms: float, letter_ms: float) -> list[Word]:
    """Words at an even pace; a space takes as long as a letter."""
    timed = []
    for word in words:
        end_ms = start_ms + len(word) * letter_ms
        timed.append(Word(word, round(start_ms), round(end_ms)))
        start_ms = end_ms + letter_ms
    return timed
