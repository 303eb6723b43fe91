"""A process that delivers until it is killed: `deliverer_process.py DATABASE CLOCK HOST`.

CLOCK is a file with the time in it, which the test writes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.secrets import Vault
from antiphon_server.store.database import Database
from antiphon_server.webhooks.deliverer import Deliverer, Tempo
from antiphon_server.webhooks.lanes import Widths

LANES = 2
"""Attempts at once: what is under way when the process dies is sent again."""
LEASE_S = 100_000.0
"""Beyond all waits, so that the test can tell a lease from a wait."""


def tempo_of(clock: Path) -> Tempo:
    """The usual schedule, with a lease that ends when the test says so."""
    return Tempo(
        widths=Widths(to_an_origin=LANES),
        poll_s=0.01,
        lease_s=LEASE_S,
        clock=lambda: float(clock.read_text()),
    )


async def _main(url: str, clock: Path, host: str) -> None:
    deliverer = Deliverer(
        Database(url), Vault((bytes(32),)), OutboundGuard((host,)), tempo_of(clock)
    )
    await deliverer.run()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
