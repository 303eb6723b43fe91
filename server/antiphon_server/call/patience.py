"""How long the words of one reply are waited for: a model may be slow, a caller hears something.

``asyncio`` time, in seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

FIRST_TOKEN_SECONDS = 10.0
"""The hosted service gives a model of one's own as long (protocol section 3.5)."""
PROGRESS_SECONDS = 10.0
"""From one token or sound to the next; a stream that stalls has failed."""
REPLY_SECONDS = 60.0
"""How long a model may write."""
SLOW_SECONDS = 3.0
"""After its first word a model that writes more slowly than people speak is not waited for until
its first sentence is complete.
"""
BEGIN_SECONDS = 6.5
"""From the question until there is something to speak, or the model has failed: with the end of
the turn before it and the voice behind it, the caller hears words or an apology within 8 s. To a
first word at the very end of a policy's ``budget_ms`` it leaves half a second for the next.
"""
LATE_SECONDS = 0.5
"""What a model has for the next whose first word comes later than that, as one's own may."""
HURRY_SECONDS = 0.25
"""So long before the model is given up, what there is of its first sentence is spoken."""
SILENT_SECONDS = 8.0
"""After a piece, words are spoken though theirs is not complete: a model that lets people wait as
long for a sentence writes more slowly than they speak, and nobody is to hear nothing for 15 s.
"""


class Patience:
    """With one model, for one reply. ``hurry`` is called when what there is must be spoken.

    ``deadline`` is to be entered before the model is asked; it expires where there are no words,
    or no more, or nothing worth speaking in time.
    """

    def __init__(self, hurry: Callable[[], None]) -> None:
        self.is_over = False
        """Whether the next word is to be spoken as soon as it is one."""
        self.deadline = asyncio.timeout(None)
        self._hurry = hurry
        self._timer: asyncio.TimerHandle | None = None
        self._begin_by: float | None = None
        self._asked = self._progress_by = self._end_by = 0.0

    def ask(self) -> None:
        """The model is asked; ``deadline`` was entered."""
        self._asked = seconds_from_now(0)
        self._end_by = self._asked + REPLY_SECONDS
        self._begin_by = self._asked + FIRST_TOKEN_SECONDS
        self.progress()

    def progress(self) -> None:
        """Something came."""
        self._progress_by = min(seconds_from_now(PROGRESS_SECONDS), self._end_by)
        self._keep()

    def begin(self) -> None:
        """A word came before there was a piece worth speaking; the first one counts."""
        if self._timer is not None:
            return
        now = seconds_from_now(0)
        self._begin_by = max(self._asked + BEGIN_SECONDS, now + LATE_SECONDS)
        self._keep()
        self._press_at(min(now + SLOW_SECONDS, self._begin_by - HURRY_SECONDS))

    def speak(self) -> None:
        """A piece worth speaking came, or the call of a tool."""
        self._begin_by = None
        self._keep()
        self._press_at(seconds_from_now(SILENT_SECONDS))

    def end(self) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _keep(self) -> None:
        begin_by = self._progress_by if self._begin_by is None else self._begin_by
        # It may have expired in this very moment.
        with contextlib.suppress(RuntimeError):
            self.deadline.reschedule(min(self._progress_by, begin_by))

    def _press_at(self, when: float) -> None:
        self.end()
        self.is_over = False
        self._timer = asyncio.get_running_loop().call_at(when, self._press)

    def _press(self) -> None:
        self.is_over = True
        self._hurry()


def seconds_from_now(seconds: float) -> float:
    """So many seconds from now, on the clock of ``asyncio.timeout``."""
    return asyncio.get_running_loop().time() + seconds
