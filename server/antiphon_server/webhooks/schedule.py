"""When an event that was not taken is sent again, and when it is given up.

Source: voice agent protocol, section 9, row 26; the reasons for the waits are in
docs/decisions/webhooks-are-tried-five-times.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

LONGEST_RETRY_AFTER_S = 3600.0
ASKS_TO_WAIT = frozenset({429, 503})
"""Answers whose ``Retry-After`` is heeded (RFC 9110, section 10.2.3; RFC 6585, section 4)."""

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class Schedule(Struct, frozen=True):
    """How long after each failed attempt the next one is made; after the last there is none."""

    waits_s: tuple[float, ...] = (5.0, 60.0, 600.0, 3600.0)
    jitter: float = 0.2
    """Each wait is this part longer or shorter at most, so that a receiver that comes back is
    not met by everything at once.
    """

    def wait_s(self, attempts: int, draw: float, asked_s: float | None = None) -> float | None:
        """Seconds until the next attempt, or None: this was the last.

        ``attempts`` have been made, ``draw`` is a random number from 0 to 1. A receiver that
        asked for a longer wait gets it, up to an hour.
        """
        if attempts > len(self.waits_s):
            return None
        own = self.waits_s[attempts - 1] * (1 - self.jitter + 2 * self.jitter * draw)
        return max(own, min(asked_s or 0.0, LONGEST_RETRY_AFTER_S))


def asked_wait_s(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """The seconds for which an answer asks to be left alone; None where it does not.

    ``headers`` have names in lower case, ``now`` is Unix seconds. Seconds and dates are read,
    what is neither is no wish.
    """
    wish = headers.get("retry-after", "").strip()
    if status not in ASKS_TO_WAIT or not wish:
        return None
    if _SECONDS.fullmatch(wish):
        return float(wish)
    try:
        until = parsedate_to_datetime(wish)
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return max(0.0, (until - datetime.fromtimestamp(now, UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
