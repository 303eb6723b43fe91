"""How often somebody may present a wrong key: a few times, then now and then."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_WRONG = 10
SECONDS_EACH = 6.0
"""After ten wrong ones at once, one more each 6 seconds. Keys cannot be guessed at any rate; this
keeps a log and a database free of those who try.
"""
MOST_CLIENTS = 10_000


class Attempts:
    """Wrong keys lately, by client. ``clock`` gives seconds that never run backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def wait(self, client: str) -> int:
        """In how many seconds this client may try again; 0: now."""
        paid = self._paid_until.get(client, 0.0)
        return max(0, math.ceil(paid - self._clock() - (MOST_WRONG - 1) * SECONDS_EACH))

    def note(self, client: str) -> None:
        """One more wrong key of this client."""
        now = self._clock()
        self._paid_until[client] = max(now, self._paid_until.pop(client, now)) + SECONDS_EACH
        while len(self._paid_until) > MOST_CLIENTS:
            self._paid_until.popitem(last=False)
