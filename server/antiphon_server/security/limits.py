"""How many sessions a key may have at once, and how many it may open in a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from antiphon_protocol.errors import ConcurrencyExceeded
from antiphon_server.security.admission import Admission
from antiphon_server.settings import Settings


class Limits:
    """The leases of one process. ``clock`` gives seconds that never run backwards.

    A key's rate is a token bucket: it may open a minute's sessions at once, and gets one back
    each ``60 / sessions_per_minute`` seconds. Who was let in without a key has no limit here.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = settings.max_sessions_per_key
        self._per_minute = settings.sessions_per_minute_per_key
        self._clock = clock
        self._keys: dict[str, _Use] = {}

    def lease(self, admission: Admission) -> Lease:
        """Room for one more session of a key, or of a token that was minted with it.

        Raises ``ConcurrencyExceeded``, which says which limit it was and when to come back;
        a refused session does not count.
        """
        if admission.key_id is None:
            return Lease(None)
        use = self._keys.setdefault(admission.key_id, _Use())
        most = self._most if admission.max_sessions is None else admission.max_sessions
        if use.sessions >= most:
            raise ConcurrencyExceeded(
                f"This key's limit of sessions at once is {most}; end one or try again later"
            )
        per_minute = admission.sessions_per_minute
        use.open(self._per_minute if per_minute is None else per_minute, self._clock())
        return Lease(use)


class Lease:
    """The room of one session."""

    def __init__(self, use: _Use | None) -> None:
        self._use = use

    def release(self) -> None:
        """Gives the room back; again, it changes nothing."""
        if self._use is not None:
            self._use.sessions -= 1
        self._use = None


class _Use:
    """What one key has open, and how much of its minute it has opened lately."""

    def __init__(self) -> None:
        self.sessions = 0
        self._opened = 0.0
        self._at = 0.0

    def open(self, per_minute: int, now: float) -> None:
        """One more session. Raises ``ConcurrencyExceeded``."""
        # What was opened drains, rather than what is left fills: so a limit that changes
        # counts at once, in both directions.
        opened = max(0.0, self._opened - (now - self._at) * per_minute / 60)
        self._opened, self._at = opened, now
        if opened + 1 > per_minute + _ROUNDING:
            seconds = math.ceil((opened + 1 - per_minute) * 60 / per_minute)
            raise ConcurrencyExceeded(
                f"This key's limit of new sessions a minute is {per_minute}; "
                f"try again in {seconds} s"
            )
        self._opened += 1
        self.sessions += 1


_ROUNDING = 1e-6
"""Of a session; a wait of exactly the time that was told must be enough."""
