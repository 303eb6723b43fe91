"""Which words belong to which segment, where the vendor tells turns and we flush segments.

AssemblyAI numbers its turns and ends them by its own rules or when it is told to; our segments
end where the server flushed. What brings them together is the audio's own time: both sides
count it from the first sample of the session, and the vendor handles audio and ``ForceEndpoint``
in the order in which they were sent.

Source: AssemblyAI's page "Universal Streaming, message sequence" (2026-11-22). Measured on the
service: a forced end is answered after about 270 ms (90 % within 315 ms), and not at all where
there is nothing to say; times of a turn's last word run late.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct, structs

from antiphon_providers.interfaces import Recognised

_LATE_MS = 250
"""How far behind the end of its segment a word's time may be: times run late, and a new segment
begins with some 480 ms of audio from before its first word.
"""
_COVERED_MS = 250
"""What may be louder after the last word of a turn that reaches to the end of its segment."""

_SETTLED_S = 0.5
"""How long a forced end is waited for where the last turn had ended by itself: what follows may
be noise, which is answered with nothing.
"""

_SILENT = 50.0
"""RMS of int16 samples: -56 dB of full scale, softer than any room."""
_QUIET = 0.15
"""Of the loudest so far: speech is louder, the room behind it softer."""


class TurnWord(Struct, frozen=True):
    """A word of a turn; milliseconds of the session's audio."""

    text: str
    start: float
    end: float
    word_is_final: bool = True


class Turn(Struct, frozen=True):
    """What the vendor says of a turn, each time all of it."""

    turn_order: int
    transcript: str
    end_of_turn: bool
    end_of_turn_confidence: float = 0.0
    turn_is_formatted: bool = True
    words: tuple[TurnWord, ...] = ()

    @property
    def text(self) -> str:
        """The words so far: a transcript may still lack those that are not final."""
        words = " ".join(map(_text, self.words))
        return self.transcript if self.end_of_turn else max(self.transcript, words, key=len)

    def after(self, ms: float) -> Turn:
        """Without the words that end before: they were answered already."""
        words = tuple(word for word in self.words if word.end > ms)
        return structs.replace(self, transcript=" ".join(map(_text, words)), words=words)


def _text(word: TurnWord) -> str:
    return word.text


class Verdicts(Struct, frozen=True):
    """What the model's turns say about turns."""

    graded: bool = False
    """Whether a turn that goes on has a confidence that means something."""
    formatted: bool = False
    """Whether a turn that ended comes once more, formatted."""


class _Segment:
    """Audio up to a flush, and the turns in it."""

    def __init__(self) -> None:
        self.until_ms: float | None = None
        self.deadline = 0.0
        self.turns: dict[int, str] = {}
        self.covered_ms = 0.0
        self.settled = False
        self.complete = False
        self.verdict: float | None = None
        self.loudest = 0.0
        self.levels: list[tuple[float, float]] = []

    @property
    def text(self) -> str:
        return " ".join(text for text in self.turns.values() if text)

    @property
    def is_silent(self) -> bool:
        return self.loudest < _SILENT

    @property
    def is_covered(self) -> bool:
        """Whether nothing worth hearing comes after its last turn, which ended."""
        limit = max(_SILENT, _QUIET * self.loudest)
        loud = (at for at, level in reversed(self.levels) if level >= limit)
        covered = self.settled and next(loud, 0.0) <= self.covered_ms + _COVERED_MS
        return self.is_silent or covered


class Segments:
    """The segments of one session that are not answered yet; the last is still being fed.

    Its methods return the results that are new.
    """

    def __init__(self, verdicts: Verdicts, *, partials: bool) -> None:
        self._verdicts = verdicts
        self._partials = partials
        self._segments = deque([_Segment()])
        self._said = ""
        self._answered_ms = -1.0
        self._answered_order = -1
        self._given_up_order = -1

    @property
    def deadline(self) -> float | None:
        """When the first flushed segment is to be answered with what is known; None without."""
        first = self._segments[0]
        return None if first.until_ms is None else first.deadline

    def heard(self, at_ms: float, level: float) -> None:
        """Audio was sent up to here, so loud (RMS of int16 samples)."""
        segment = self._segments[-1]
        segment.loudest = max(segment.loudest, level)
        segment.levels.append((at_ms, level))

    def flush(
        self, until_ms: float, now: float, patience_s: float
    ) -> tuple[bool, list[Recognised]]:
        """The segment ends here; whether the vendor must be told to end its turn.

        It is answered within the patience, and sooner where it may well have no more words.
        """
        segment = self._segments[-1]
        if segment.settled:
            patience_s = min(patience_s, _SETTLED_S)
        segment.until_ms, segment.deadline = until_ms, now + patience_s
        segment.complete = segment.is_covered
        self._segments.append(_Segment())
        return not segment.is_silent, self._answer()

    def take(self, turn: Turn) -> list[Recognised]:
        """The vendor said this. Words of audio that was answered already are dropped."""
        if turn.turn_order <= self._answered_order:
            return []
        if not turn.words and turn.turn_order <= self._given_up_order:
            return []
        if turn.words and turn.words[0].end <= self._answered_ms:
            turn = turn.after(self._answered_ms)
            if not turn.words:
                return []
        results, segment = self._find(turn)
        segment.turns[turn.turn_order] = turn.text
        segment.settled = turn.end_of_turn and (
            turn.turn_is_formatted or not self._verdicts.formatted
        )
        segment.covered_ms = turn.words[-1].end if turn.words else segment.covered_ms
        # After a flush this is the end that was forced: a turn that ended by itself is told
        # sooner than speech after it and the pause that is worth a flush take.
        segment.complete = segment.until_ms is not None and segment.settled
        self._judge(segment, turn)
        return results + self._show(segment) + self._answer()

    def expire(self, now: float) -> list[Recognised]:
        """Answers what waited too long; what still comes for it is dropped."""
        results: list[Recognised] = []
        while (deadline := self.deadline) is not None and deadline <= now:
            self._given_up_order = max(self._segments[0].turns, default=self._given_up_order)
            results += [self._finish(), *self._answer()]
        return results

    def _find(self, turn: Turn) -> tuple[list[Recognised], _Segment]:
        """Where a turn belongs; flushed segments that it passes over got nothing more."""
        results: list[Recognised] = []
        while self._is_past(turn):
            results.append(self._finish())
        return results, self._segments[0]

    def _is_past(self, turn: Turn) -> bool:
        """Whether a turn is later than the first segment, which it was not begun in."""
        first = self._segments[0]
        if first.until_ms is None or turn.turn_order in first.turns or not turn.words:
            return False
        return turn.words[-1].end > first.until_ms + _LATE_MS

    def _judge(self, segment: _Segment, turn: Turn) -> None:
        """A verdict that we did not force; what comes after a flush may have been forced."""
        if segment.until_ms is None:
            has_one = turn.end_of_turn or self._verdicts.graded
            confidence = min(max(turn.end_of_turn_confidence, 0.0), 1.0)
            segment.verdict = confidence if has_one else None

    def _show(self, segment: _Segment) -> list[Recognised]:
        """What is heard of a segment that is still being fed."""
        if not self._partials or segment.until_ms is not None:
            return []
        if segment.text == self._said and not segment.settled:
            return []
        self._said = segment.text
        return [Recognised(segment.text, turn_over=segment.verdict)]

    def _answer(self) -> list[Recognised]:
        """Results of the segments that are complete, in order."""
        results: list[Recognised] = []
        while self._segments[0].complete:
            results.append(self._finish())
        return results

    def _finish(self) -> Recognised:
        """The first segment is answered with what is known."""
        segment = self._segments.popleft()
        self._said = ""
        self._answered_ms = segment.until_ms or self._answered_ms
        if segment.settled:
            self._answered_order = max(segment.turns, default=self._answered_order)
        return Recognised(segment.text, flushed=True, turn_over=segment.verdict)
