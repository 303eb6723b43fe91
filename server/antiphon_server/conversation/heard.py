"""What of one reply was written, spoken and heard, word by word.

Times are milliseconds from the start of the reply's audio. Where a provider gives word times
they are exact; where it gives none they are estimated: a sentence's duration is shared among
its words by how long each takes to say, and a sentence of which more is to come is assumed to
go at the pace of those before it.

A sentence is either written before it sounds, or it grows: its text comes beside its sound, as
from a model that speaks by itself, and which word belongs to which sound is known of all of it
only once both have ended.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Literal

from msgspec import Struct

from antiphon_server.conversation.speech_length import LETTER_MS, lengths, total

PRIOR_LETTERS = 12.0
"""The pace expected beforehand counts for as much as so many letters heard: about a word."""


class TimedWord(Struct, frozen=True):
    """A word and when it sounds."""

    text: str
    start_ms: int
    end_ms: int

    @property
    def middle_ms(self) -> float:
        """Once it has passed, the word counts as heard."""
        return (self.start_ms + self.end_ms) / 2


class _Sentence(Struct):
    text: str
    start_ms: float
    ms: float = 0.0
    ended: bool = False
    words: list[TimedWord] = []
    grows: bool = False
    """Whether more of its text may come."""

    def split(self) -> list[str]:
        """Its words; one that may go on is none yet."""
        words = self.text.split()
        return words[:-1] if self.grows and words and not self.text[-1].isspace() else words

    def sounded(self, words: list[TimedWord]) -> list[TimedWord]:
        """Those of these words whose sound exists."""
        ends = self.start_ms + self.ms
        return list(takewhile(lambda word: word.end_ms <= ends, words))


class Heard:
    """The ledger of one reply.

    ``expected_pace`` is the voice's pace in its earlier replies, in milliseconds a letter, where
    there were any: a voice that is slower than it speaks cannot show its pace in time.
    """

    def __init__(self, expected_pace: float | None = None) -> None:
        self._sentences: list[_Sentence] = []
        self._told = 0
        """How many sentences were told, or are being told."""
        self._told_words = 0
        """Of the sentence that is being told."""
        self._told_ms = 0
        self._expected_pace = LETTER_MS if expected_pace is None else expected_pace

    @property
    def text(self) -> str:
        """All that was given to be spoken."""
        return " ".join(sentence.text for sentence in self._sentences if sentence.text)

    @property
    def ms(self) -> float:
        """Milliseconds of audio so far."""
        return sum(sentence.ms for sentence in self._sentences)

    @property
    def method(self) -> Literal["timed", "estimated"]:
        """How it is known when a word sounded: the provider's times, or estimates."""
        timed = any(sentence.words for sentence in self._sentences)
        return "timed" if timed else "estimated"

    @property
    def pace(self) -> float:
        """Milliseconds a letter, as far as it is known by now."""
        ended = [sentence for sentence in self._sentences if sentence.ended and sentence.ms]
        letters = sum(total(sentence.split()) for sentence in ended)
        spoken_ms = sum(sentence.ms for sentence in ended)
        return (PRIOR_LETTERS * self._expected_pace + spoken_ms) / (PRIOR_LETTERS + letters)

    def wrote(self, sentence: str) -> int:
        """A sentence was given to be spoken; sentences are numbered from 0 in this order."""
        self._sentences.append(_Sentence(sentence, 0.0))
        return len(self._sentences) - 1

    def began(self) -> int:
        """A sentence begins that grows; its number."""
        self._sentences.append(_Sentence("", 0.0, grows=True))
        return len(self._sentences) - 1

    def grew(self, sentence: int, text: str) -> None:
        """More of the text of a sentence that grows is known; it may be cut anywhere."""
        self._sentences[sentence].text += text

    def sounded(self, sentence: int, ms: float, words: tuple[TimedWord, ...] = ()) -> None:
        """So much more audio of a sentence exists; word times count from its start."""
        entry = self._sentences[sentence]
        if entry.ms == 0.0 and not entry.words:
            entry.start_ms = self.ms
        start = entry.start_ms
        entry.words.extend(
            TimedWord(word.text, round(start + word.start_ms), round(start + word.end_ms))
            for word in words
        )
        entry.ms += ms

    def ended(self, sentence: int) -> None:
        """All audio of a sentence exists, and all of its text."""
        entry = self._sentences[sentence]
        if entry.ms == 0.0 and not entry.words:
            entry.start_ms = self.ms
        if entry.grows:
            entry.text, entry.grows = " ".join(entry.text.split()), False
        entry.ended = True

    def broke_off(self, sentence: int) -> None:
        """No more of a sentence will come: what has no sound is not of it."""
        entry = self._sentences[sentence]
        ends = entry.start_ms + entry.ms
        out = takewhile(lambda word: word.middle_ms <= ends, _timed(entry, self.pace))
        entry.text = " ".join([word.text for word in out] if entry.ms else [])
        self.ended(sentence)

    def new_words(self) -> list[TimedWord]:
        """The words whose times became known since the last call, in order.

        Of a sentence that grows they are those whose sound exists by the estimate of now. Later
        estimates may differ; what is told goes forward only.
        """
        known: list[TimedWord] = []
        while self._told < len(self._sentences):
            sentence = self._sentences[self._told]
            untold = self._forward(self._told)[self._told_words :]
            if not sentence.ended:
                untold = sentence.sounded(untold) if sentence.grows else []
            known += untold
            self._told_words += len(untold)
            if untold:
                self._told_ms = untold[-1].end_ms
            if not sentence.ended:
                break
            self._told, self._told_words = self._told + 1, 0
        return known

    def words(self) -> list[TimedWord]:
        """All words so far, with their times as far as they are known by now."""
        return [word for number in range(len(self._sentences)) for word in self._forward(number)]

    def _forward(self, number: int) -> list[TimedWord]:
        """A sentence's words; those that follow told ones are not before them."""
        words = _timed(self._sentences[number], self.pace)
        if number != self._told or not self._told_words:
            return words
        told, untold = words[: self._told_words], words[self._told_words :]
        return [*told, *(_not_before(self._told_ms, word) for word in untold)]

    def until(self, played_ms: float) -> str:
        """The text up to the last word that was out by then.

        A word was out when half of it was, and all words before it.
        """
        pace = self.pace
        spoken: list[str] = []
        for sentence in self._sentences:
            start, whole = sentence.start_ms, sentence.start_ms + sentence.ms
            # One without any sound counts as heard with the first sound after it.
            if sentence.ended and played_ms > start and played_ms >= whole:
                spoken.append(sentence.text)
                continue
            if sentence.ms == 0.0 or played_ms <= start:
                break
            words = _timed(sentence, pace)
            out = list(takewhile(lambda word: word.middle_ms <= played_ms, words))
            spoken.append(" ".join(word.text for word in out))
            break
        return " ".join(part for part in spoken if part)


def _not_before(ms: int, word: TimedWord) -> TimedWord:
    return TimedWord(word.text, max(ms, word.start_ms), max(ms, word.end_ms))


def _timed(sentence: _Sentence, pace: float) -> list[TimedWord]:
    """A sentence's words with their times, given or estimated."""
    if sentence.words and sentence.ended:
        return sentence.words
    words = sentence.split()
    takes = lengths(words)
    letters = sum(length.sound + length.pause for length in takes)
    ms = sentence.ms if sentence.ended else max(sentence.ms, letters * pace)
    timed, passed = [], 0.0
    for word, length in zip(words, takes, strict=True):
        start = sentence.start_ms + ms * passed / letters
        end = start + ms * length.sound / letters
        passed += length.sound + length.pause
        timed.append(TimedWord(word, round(start), round(end)))
    # What the provider has already timed is better than any estimate; the rest follows it.
    known, rest = sentence.words, timed[len(sentence.words) :]
    if not known or not rest:
        return [*known, *rest]
    late = known[-1].end_ms - rest[0].start_ms
    return [
        *known,
        *(TimedWord(word.text, word.start_ms + late, word.end_ms + late) for word in rest),
    ]
