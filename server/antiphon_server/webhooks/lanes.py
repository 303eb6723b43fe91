"""How many attempts run at once: in all, to one host, and for one account.

A receiver that does not answer holds its own lane for ten seconds, and nobody else's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from antiphon_server.store.webhook_deliveries import Due


class Widths(Struct, frozen=True):
    """Attempts at once.

    What is under way when the process dies is sent again, and may have been taken; so a receiver
    gets few at a time.
    """

    in_all: int = 64
    to_an_origin: int = 4
    for_an_account: int = 32


class Lanes:
    """The attempts that run now."""

    def __init__(self, widths: Widths) -> None:
        self._widths = widths
        self._origins: Counter[str] = Counter()
        self._accounts: Counter[str] = Counter()

    @property
    def room(self) -> int:
        """How many more may run."""
        return self._widths.in_all - self._origins.total()

    @property
    def busy_origins(self) -> frozenset[str]:
        """Hosts to which as many run as may."""
        return _full(self._origins, self._widths.to_an_origin)

    @property
    def busy_accounts(self) -> frozenset[str]:
        """Accounts for which as many run as may."""
        return _full(self._accounts, self._widths.for_an_account)

    def copy(self) -> Lanes:
        """The same attempts, counted separately from now on."""
        other = Lanes(self._widths)
        other._origins.update(self._origins)
        other._accounts.update(self._accounts)
        return other

    def fitting(self, candidates: Iterable[Due]) -> list[Due]:
        """Those of the candidates that may run, in their order; they are counted."""
        taken = []
        for one in candidates:
            if self._fits(one):
                self.enter(one)
                taken.append(one)
        return taken

    def enter(self, one: Due) -> None:
        """An attempt runs."""
        self._origins[one.origin] += 1
        self._accounts[one.account] += 1

    def leave(self, one: Due) -> None:
        """It is over."""
        for counts, name in ((self._origins, one.origin), (self._accounts, one.account)):
            counts[name] -= 1
            if not counts[name]:
                del counts[name]

    def _fits(self, one: Due) -> bool:
        return (
            self.room > 0
            and self._origins[one.origin] < self._widths.to_an_origin
            and self._accounts[one.account] < self._widths.for_an_account
        )


def _full(counts: Counter[str], most: int) -> frozenset[str]:
    return frozenset(name for name, count in counts.items() if count >= most)
