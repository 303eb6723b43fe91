"""What is told of providers at work, for metrics and health pages.

Whoever runs providers hands each stage an observer of its own; an adapter that connects tells
how long that took, and the wrappers of ``antiphon_providers.resilience`` tell the rest. Nothing
here blocks, and nothing raises.
"""

from __future__ import annotations

from typing import Literal, Protocol

BreakerState = Literal["closed", "open", "half_open"]
"""Serving; not asked; asked once, to see."""


class Observer(Protocol):
    """One stage's. ``provider`` is a candidate's name in settings; times are seconds."""

    def connected(self, provider: str, seconds: float) -> None:
        """A new connection stands."""
        ...

    def began(self, provider: str, seconds: float) -> None:
        """The first useful byte came, so long after it was asked for."""
        ...

    def finished(self, provider: str, seconds: float) -> None:
        """An answer is complete, so long after it was asked for."""
        ...

    def failed(self, provider: str, code: str) -> None:
        """An attempt failed; ``code`` is that of the ``ProviderError``."""
        ...

    def breaker(self, provider: str, state: BreakerState) -> None:
        """A circuit breaker changed."""
        ...

    def hedged(self, provider: str, *, won: bool | None) -> None:
        """A second attempt was started (None), and later how it ended."""
        ...

    def switched(self, provider: str, to: str, reason: str) -> None:
        """Another candidate took over; ``reason`` is an error's code or a few words."""
        ...

    def chose(self, provider: str, reason: str) -> None:
        """A router chose."""
        ...


class Silent:
    """An observer that nobody reads."""

    def connected(self, provider: str, seconds: float) -> None:
        """Nothing."""

    def began(self, provider: str, seconds: float) -> None:
        """Nothing."""

    def finished(self, provider: str, seconds: float) -> None:
        """Nothing."""

    def failed(self, provider: str, code: str) -> None:
        """Nothing."""

    def breaker(self, provider: str, state: BreakerState) -> None:
        """Nothing."""

    def hedged(self, provider: str, *, won: bool | None) -> None:
        """Nothing."""

    def switched(self, provider: str, to: str, reason: str) -> None:
        """Nothing."""

    def chose(self, provider: str, reason: str) -> None:
        """Nothing."""


SILENT = Silent()
