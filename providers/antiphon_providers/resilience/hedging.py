"""When a second attempt is worth it, and whether there is money for it. Pure."""

from __future__ import annotations

from antiphon_providers.resilience.latency import Latency
from antiphon_providers.resilience.policy import Policy

_SAVED = 10.0
"""How many second attempts can be saved up for a bad minute."""
_CLOSE = 1e-9
"""Ten tenths must make a whole."""


class HedgeBudget:
    """A token bucket: each request puts a share in, each second attempt takes one out."""

    def __init__(self, policy: Policy) -> None:
        self._share = policy.hedge_share
        self._tokens = 0.0

    def asked(self) -> None:
        """There is a new request."""
        self._tokens = min(self._tokens + self._share, _SAVED)

    def take(self) -> bool:
        """Whether a second attempt may be made; counts it."""
        if self._tokens < 1 - _CLOSE:
            return False
        self._tokens -= 1
        return True


def hedge_delay_s(latency: Latency, policy: Policy) -> float:
    """After how many seconds without a useful piece a second attempt is due.

    The candidate's rolling 95th percentile within the policy's bounds; the upper one as long as
    too little is known.
    """
    usual = latency.p95()
    most, least = policy.hedge_most_ms / 1000, policy.hedge_least_ms / 1000
    return most if usual is None else min(max(usual, least), most)
