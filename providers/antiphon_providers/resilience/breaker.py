"""Who fails is left alone for a while, and asked once before being trusted again.

Pure: times are arguments, in seconds of any clock that does not go back.

    closed ──(failures)──▶ open ──(cooldown)──▶ half open ──(the probe succeeds)──▶ closed
                            ▲                       │
                            └──(the probe fails)────┘   twice the cooldown
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from antiphon_providers.errors import SESSION_EXPIRED, NotInstalled, ProviderError, Refused
from antiphon_providers.observer import BreakerState
from antiphon_providers.resilience.policy import Policy

_ABOUT_THE_REQUEST = frozenset({400, 413, 422})
_ABOUT_THE_CANDIDATE = frozenset({401, 403, 404, 429})
_CODES_ABOUT_THE_CANDIDATE = frozenset({"model_not_found", "invalid_api_key"})
"""Some endpoints say with status 400 that it is the key or the model they do not know."""
_CODES_ABOUT_WORDS = frozenset({"content_filter", "refusal"})
"""The end of a reply that a model's safety stopped."""


class Permit(Struct, frozen=True, kw_only=True):
    """Leave to make one attempt; to be given back with what came of it, once."""

    number: int
    probe: bool


class Breaker:
    """One candidate's, shared by all calls.

    It opens at once where the vendor says that it is the key, the model or the rate that is
    wrong (401, 403, 404, 429), and otherwise after ``consecutive_failures`` or when more than
    ``failure_share`` of the last ``window`` attempts failed. While it is open nobody is let
    through; then one is, and no other before that one's outcome is known, nor within the
    cooldown. An outcome of an attempt from before the last change says nothing any more.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._number = 0
        self._outcomes: deque[bool] = deque(maxlen=policy.window)
        self._in_a_row = 0
        self._opened = 0
        """How often since it was last closed."""
        self._open_until: float | None = None
        self._probing = False

    def state(self, now: float) -> BreakerState:
        """Closed: whoever asks is let through; half open: one is; open: nobody."""
        if self._open_until is None:
            return "closed"
        return "half_open" if self._probing or now >= self._open_until else "open"

    def admits(self, now: float) -> bool:
        """Whether ``enter`` would let somebody through."""
        if self._open_until is None:
            return True
        return not self._probing and now >= self._open_until

    def opens_in(self, now: float) -> float:
        """Seconds until somebody may be let through, as far as is known."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - now)

    def enter(self, now: float) -> Permit | None:
        """Leave to make an attempt, or None."""
        if not self.admits(now):
            return None
        if self._open_until is None:
            return Permit(number=self._number, probe=False)
        self._probing = True
        self._number += 1
        # Also where the probe is given up without an outcome, the next is not made before this.
        self._open_until = now + self._cooldown_s()
        return Permit(number=self._number, probe=True)

    def insist(self, now: float) -> Permit:
        """Leave to make an attempt, in any state: for a candidate that nobody stands in for."""
        permit = self.enter(now)
        if permit is None:
            self._probing = True
            self._number += 1
            permit = Permit(number=self._number, probe=True)
        return permit

    def succeeded(self, permit: Permit) -> None:
        """The attempt gave what was asked for."""
        if permit.number != self._number:
            return
        self._in_a_row = 0
        if permit.probe:
            self._outcomes.clear()
            self._probing, self._open_until, self._opened = False, None, 0
            self._number += 1
        else:
            self._outcomes.append(True)

    def failed(self, permit: Permit, failure: ProviderError, now: float) -> None:
        """The attempt failed. Nothing changes where only the request was to blame, or a stream's
        time was over.
        """
        if permit.number != self._number:
            return
        if blames_the_request(failure) or failure.provider_code == SESSION_EXPIRED:
            self.abandoned(permit)
            return
        self._outcomes.append(False)
        self._in_a_row += 1
        if permit.probe or _about_the_candidate(failure) or self._too_many():
            self._open(failure, now)

    def abandoned(self, permit: Permit) -> None:
        """The attempt was given up before it came to anything."""
        if permit.number == self._number and permit.probe:
            self._probing = False

    def trip(self, failure: ProviderError, now: float) -> None:
        """Opens it without an attempt: the candidate could not even be started."""
        self._open(failure, now)

    def _too_many(self) -> bool:
        outcomes, policy = self._outcomes, self._policy
        failures = len(outcomes) - sum(outcomes)
        return self._in_a_row >= policy.consecutive_failures or (
            len(outcomes) == policy.window and failures > policy.failure_share * policy.window
        )

    def _open(self, failure: ProviderError, now: float) -> None:
        self._opened += 1
        wished_s = min(failure.retry_after_s or 0.0, self._policy.longest_retry_after_ms / 1000)
        self._open_until = now + max(self._cooldown_s(), wished_s)
        self._probing = False
        self._number += 1
        self._in_a_row = 0
        self._outcomes.clear()

    def _cooldown_s(self) -> float:
        policy = self._policy
        # The exponent is bounded for the sake of a provider that is dead for a month.
        doubled_ms = policy.cooldown_ms << min(max(self._opened - 1, 0), 30)
        return min(doubled_ms, policy.longest_cooldown_ms) / 1000


def about_the_request(failure: ProviderError) -> bool:
    """Whether the vendor refused this request and not the one who asks: others would, too."""
    return failure.status_code in _ABOUT_THE_REQUEST and not _about_the_candidate(failure)


def blames_the_request(failure: ProviderError) -> bool:
    """Whether it is this request that the candidate will not serve, though it serves others.

    So it is also where others may serve it: a language that it does not hear, a voice that it
    does not have, a word that its filter does not like.
    """
    if about_the_request(failure):
        return True
    names_it = failure.provider_param is not None or failure.provider_code in _CODES_ABOUT_WORDS
    own = isinstance(failure, Refused) and failure.status_code is None
    return own and names_it and not _about_the_candidate(failure)


def _about_the_candidate(failure: ProviderError) -> bool:
    return (
        isinstance(failure, NotInstalled)
        or failure.status_code in _ABOUT_THE_CANDIDATE
        or failure.provider_code in _CODES_ABOUT_THE_CANDIDATE
        or failure.provider_param == "model"
    )
