"""Which words belong to which segment, where the vendor tells by time and we flush segments.

Both of Deepgram's recognisers count the audio's time from the first sample of the connection
and tell up to when they heard. Nova tells stretches, each again until it is final; Flux tells
turns, each again until it ends. Our segments end where the server flushed.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from antiphon_providers.interfaces import Recognised

_SILENT = 50.0
"""RMS of int16 samples: -56 dB of full scale, softer than any room."""
_QUIET = 0.05
"""Of the loudest so far: 26 dB softer than speech is nothing that is worth waiting for."""
_LATE_S = 0.25
"""How far behind the end of its segment words may be told to end."""
_ROUNDING_S = 0.02


class Told(Struct, frozen=True):
    """What the vendor says of a stretch or a turn, each time all of it.

    ``end_s`` is up to when it heard; ``is_final`` that it says no more of this one, and
    ``is_forced`` that it says so because it was told to. ``verdict`` as in ``Recognised``.
    """

    key: int
    text: str
    end_s: float
    is_final: bool = False
    is_forced: bool = False
    verdict: float | None = None


class _Segment:
    """Audio up to a flush, and the words in it."""

    def __init__(self) -> None:
        self.until_s: float | None = None
        self.speech_end_s = 0.0
        self.deadline = 0.0
        self.texts: dict[int, str] = {}
        self.verdict: float | None = None
        self.is_final = True
        self.is_asked = False
        self.is_complete = False
        self.loudest = 0.0
        self.levels: list[tuple[float, float]] = []

    @property
    def text(self) -> str:
        return " ".join(text for text in self.texts.values() if text)

    def end(self, until_s: float) -> None:
        """It was flushed."""
        limit = max(_SILENT, _QUIET * self.loudest)
        loud = (at for at, level in reversed(self.levels) if level >= limit)
        self.until_s, self.speech_end_s = until_s, next(loud, 0.0)
        self.levels.clear()


class Segments:
    """The segments of one connection that are not answered yet; the last is still being fed.

    ``settle_s`` is how much of what follows speech the vendor must have heard for its words to
    be all there. Methods return the results that are new.
    """

    def __init__(self, *, partials: bool, settle_s: float) -> None:
        self._partials = partials
        self._settle_s = settle_s
        self._segments = deque([_Segment()])
        self._shown: tuple[str, float | None] = ("", None)
        self._heard_s = 0.0
        self._answered_s = -1.0
        self._given: dict[int, int] = {}
        self.answered = 0

    @property
    def deadline(self) -> float | None:
        """When the first flushed segment is to be answered with what is known; None without."""
        first = self._segments[0]
        return None if first.until_s is None else first.deadline

    @property
    def fed(self) -> int:
        """The number of the segment that is being fed, counted from 0."""
        return self.answered + len(self._segments) - 1

    @property
    def is_silent(self) -> bool:
        """Whether nothing was fed since the last flush that could be speech."""
        return self._segments[-1].loudest < _SILENT

    def heard(self, at_s: float, level: float) -> None:
        """Audio was sent up to here, so loud (RMS of int16 samples)."""
        segment = self._segments[-1]
        segment.loudest = max(segment.loudest, level)
        segment.levels.append((at_s, level))

    def flush(self, until_s: float, now: float, final_s: float) -> list[Recognised]:
        """The segment ends here; it is answered after ``final_s`` or that of those before it."""
        segment = self._segments[-1]
        waiting = self._segments[-2].deadline if len(self._segments) > 1 else now
        segment.deadline = max(waiting, now) + final_s
        segment.is_complete = self.is_silent
        segment.end(until_s)
        heard_all = self._heard_s >= segment.speech_end_s + self._settle_s
        segment.is_complete |= segment.is_final and heard_all
        self._segments.append(_Segment())
        return self._answer()

    def ask(self) -> bool:
        """Whether the vendor is to be told, now and once, that the first segment is over: it is
        waited for, and all its speech was heard.
        """
        first = self._segments[0]
        heard_all = self._heard_s >= first.speech_end_s + self._settle_s
        if first.until_s is None or first.is_asked or not heard_all:
            return False
        first.is_asked = True
        return True

    def take(self, told: Told) -> list[Recognised]:
        """The vendor said this. Words that were answered already are dropped."""
        self._heard_s = max(self._heard_s, told.end_s)
        if told.end_s <= self._answered_s + _ROUNDING_S:
            return []
        text = " ".join(told.text.split()[self._given.get(told.key, 0) :])
        results = self._pass_over(told, text)
        segment = self._segments[0]
        segment.texts[told.key] = text
        segment.is_final = told.is_final
        if segment.until_s is None:
            segment.verdict = told.verdict if text else segment.verdict
        else:
            heard_all = told.end_s >= segment.speech_end_s + self._settle_s
            segment.is_complete = told.is_final and (told.is_forced or heard_all)
        return results + self._show(segment) + self._answer()

    def expire(self, now: float) -> list[Recognised]:
        """Answers what waited too long; what still comes for it is dropped."""
        results: list[Recognised] = []
        while (deadline := self.deadline) is not None and deadline <= now:
            results += [self._finish(), *self._answer()]
        return results

    def _pass_over(self, told: Told, text: str) -> list[Recognised]:
        """Flushed segments that these words are too late for got nothing more."""
        results: list[Recognised] = []
        while (until := self._segments[0].until_s) is not None:
            late = told.end_s > until + _LATE_S
            if not text or not late or told.key in self._segments[0].texts:
                break
            results.append(self._finish())
        return results

    def _show(self, segment: _Segment) -> list[Recognised]:
        """What is heard of a segment that is still being fed."""
        now = (segment.text, segment.verdict)
        if not self._partials or segment.until_s is not None or now == self._shown:
            return []
        self._shown = now
        return [Recognised(segment.text, turn_over=segment.verdict)] if segment.text else []

    def _answer(self) -> list[Recognised]:
        """Results of the segments that are complete, in order."""
        results: list[Recognised] = []
        while self._segments[0].is_complete:
            results.append(self._finish())
        return results

    def _finish(self) -> Recognised:
        segment = self._segments.popleft()
        self.answered += 1
        self._answered_s = max(self._answered_s, segment.until_s or 0.0)
        # A stretch or turn that goes on is told with these words again.
        if segment.texts:
            counts = {key: len(text.split()) for key, text in segment.texts.items()}
            self._given = {key: self._given.get(key, 0) + counts[key] for key in counts}
        self._shown = ("", None)
        return Recognised(segment.text, flushed=True, turn_over=segment.verdict)
