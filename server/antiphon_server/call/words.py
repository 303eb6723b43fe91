"""The words of one utterance, put together from what a recogniser says of its segments."""

from __future__ import annotations


class Words:
    """A segment ends with each flush.

    Results of segments that belong to a forgotten utterance are dropped, however late they
    come.
    """

    def __init__(self) -> None:
        self._segments: list[str] = []
        self._partial = ""
        self._pending = 0
        self._foreign = 0

    @property
    def text(self) -> str:
        """All of them, as far as they are known."""
        return " ".join(part for part in (*self._segments, self._partial) if part)

    @property
    def settled(self) -> bool:
        """Whether all that was flushed is in the text."""
        return self._pending == 0 and not self._partial

    def flushed(self) -> None:
        """A segment ended; its final words are owed."""
        self._pending += 1

    def recognised(self, text: str, *, flushed: bool) -> bool:
        """Takes a result; whether it belongs to this utterance."""
        if self._foreign:
            if flushed:
                self._foreign -= 1
                self._pending -= 1
            return False
        if flushed:
            self._pending = max(0, self._pending - 1)
            self._segments.append(text.strip())
            self._partial = ""
        else:
            self._partial = text.strip()
        return True

    def forget(self) -> None:
        """The next words are of another utterance."""
        self._segments.clear()
        self._partial = ""
        self._foreign = self._pending

    def lost(self) -> None:
        """The recogniser is gone, and with it all answers to flushes."""
        self._pending = self._foreign = 0
        self._partial = ""
