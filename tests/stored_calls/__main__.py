"""``python -m stored_calls``: how long the console's addresses take over many stored calls;
``scripts/bench stored-calls`` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from antiphon_server.edge.transport import settle_memory
from antiphon_server.rest.api import Api
from antiphon_server.rest.console_latency import ConsoleLatencyRoutes
from antiphon_server.rest.console_sessions import ConsoleSessionRoutes
from antiphon_server.rest.sessions import SessionPlaces
from antiphon_server.security.keys import Keys
from antiphon_server.security.links import Links
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.database import Database
from antiphon_server.store.migrate import upgrade
from antiphon_server.store.retention import Keeping
from antiphon_server.store.tables import sessions
from postgres import Postgres
from server.rest.rest_client import ask
from stored_calls.past import ACCOUNT, Past, stored

MOST_MS = 200.0
STEP_SECONDS = 600.0
"""Between the begins of two calls."""
LONG = Past(10_000_000, turns=200)
TIMES = 7


def addresses(calls: int) -> dict[str, str]:
    """What is asked, by what it is."""
    first, last = Past(0).at, Past(0).at + calls * STEP_SECONDS
    span = f"from={_moment(first)}&to={_moment(last)}"
    list_ = "/v1/console/sessions"
    return {
        "list": f"{list_}?limit=50",
        "list of 200": f"{list_}?limit=200",
        "search, many found": f"{list_}?search=money+order",
        "search, none found": f"{list_}?search=xylophone",
        "slow, with errors": f"{list_}?slow_ms=2000&errors=1",
        "a call of 20 turns": f"{list_}/{Past(1).id}",
        "a call of 200 turns": f"{list_}/{LONG.id}",
        "its events": f"{list_}/{LONG.id}/events?limit=1000",
        "latency, all": f"/v1/console/latency?{span}&points=200",
    }


async def measure(database: Database, folder: Path, calls: int) -> bool:
    """Whether all answers come in time; each is told."""
    keys = Keys(("key",))
    account = (await keys.owner("key")).account
    database.now(
        lambda connection: connection.execute(
            sessions.update().where(sessions.c.account == ACCOUNT).values(account=account)
        )
    )
    places = SessionPlaces(Keeping(database, Folder(folder)), Links(b"p" * 32))
    app = Api(
        (
            *ConsoleSessionRoutes(keys, places).operations(),
            *ConsoleLatencyRoutes(keys, database).operations(),
        )
    )
    met = True
    for name, address in addresses(calls).items():
        times, gaps, size = [], [], 0
        for _ in range(TIMES):
            with _watched() as held:
                begun = time.perf_counter()
                got = await ask(app, f"GET {address}", authorization="key")
                times.append(1000 * (time.perf_counter() - begun))
                await asyncio.sleep(0)
            gaps.append(held())
            size = len(got.raw)
            if got.status != 200:
                raise RuntimeError(got.raw)
        met = met and max(times) < MOST_MS
        told = f"{median(times):7.1f} ms  most {max(times):7.1f} ms  loop held {max(gaps):5.1f} ms"
        sys.stdout.write(f"  {name:20}{told}  {size / 1000:7.1f} kB\n")
    return met


@contextmanager
def _watched() -> Iterator[Callable[[], float]]:
    """The longest time in which the loop did nothing else, in milliseconds."""
    longest, last = 0.0, time.perf_counter()

    async def tick() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last - 0.001), now

    task = asyncio.get_running_loop().create_task(tick())
    try:
        yield lambda: 1000 * longest
    finally:
        task.cancel()


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 every answer comes in time, 1 one does not."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench stored-calls",
        description="How long the console's addresses take over many stored calls.",
    )
    parser.add_argument("--calls", type=int, default=1_000, help="by default 1000, of 20 turns")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="measure nothing else")
    options = parser.parse_args(argv)
    met = True
    with TemporaryDirectory() as folder:
        if options.only != "postgresql":
            met &= _on(f"sqlite:///{folder}/antiphon.db", Path(folder), options.calls)
        if options.only != "sqlite":
            server = Postgres()
            try:
                server.start()
                server.create("calls")
                met &= _on(server.url("calls"), Path(folder), options.calls)
            finally:
                server.remove()
    return 0 if met else 1


def _on(url: str, folder: Path, calls: int) -> bool:
    database = Database(url)
    try:
        upgrade(database)
        begun = time.perf_counter()
        stored(database, *(Past(n, at=Past(0).at + n * STEP_SECONDS) for n in range(calls)), LONG)
        each = 1000 * (time.perf_counter() - begun) / (calls + 1)
        name = database.engine.dialect.name
        sys.stdout.write(f"{name}, {calls} calls of 20 turns and one of {LONG.turns}")
        sys.stdout.write(f" (stored in {each:.1f} ms each):\n")
        settle_memory()
        return asyncio.run(measure(database, folder, calls))
    finally:
        database.dispose()


if __name__ == "__main__":
    sys.exit(main())
