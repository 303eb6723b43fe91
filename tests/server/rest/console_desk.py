"""The console's addresses over one database and one folder, with clients of two accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from antiphon_server.call.chronicle import SoFar
from antiphon_server.call.live import Live
from antiphon_server.rest.console_latency import ConsoleLatencyRoutes
from antiphon_server.rest.console_live import ConsoleLiveRoutes, Here
from antiphon_server.rest.console_sessions import ConsoleSessionRoutes
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.sessions import SessionPlaces, SessionRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.security.links import Links
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.database import Database
from antiphon_server.store.journals import Journals
from antiphon_server.store.retention import Keeping
from server.rest.two_accounts import Tenant, two_accounts
from server.store.told_sessions import AT, Told, tell


def live(session_id: str, **fields: Any) -> Live:
    """A call that goes on."""
    usual: dict[str, Any] = {
        "agent_id": None,
        "phase": "thinking",
        "phase_ms": 1_234.4,
        "seconds": 12.3456,
        "so_far": SoFar(AT, 2, 1, "Where is it?", "It is", 812.5),
        "providers": {"language_model": "openai"},
    }
    return Live(id=session_id, **{**usual, **fields})


class ConsoleDesk:
    """What the tests of the console share."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.journals = folder / "journals"
        self.journals.mkdir()
        self.settled: list[float] = []
        self.calls: dict[str, list[Live]] = {}
        self.mine: Tenant
        self.theirs: Tenant
        self._audio = folder / "kept"

    async def open(self) -> ConsoleDesk:
        """Makes the API and its two clients."""
        self.mine, self.theirs = await two_accounts(self.operations)
        return self

    def operations(self, keys: Keys) -> tuple[Operation, ...]:
        """All that are about calls."""
        keeping = Keeping(
            self.database, Folder(self._audio), lambda: AT + 60, Journals(self.journals)
        )
        places = SessionPlaces(keeping, Links(b"p" * 32), "", self._settle)
        here = Here(
            providers=lambda: {"language_model": "openai"},
            calls=lambda account: self.calls.get(account, []),
            recording=True,
        )
        return (
            *ConsoleLiveRoutes(keys, here).operations(),
            *ConsoleSessionRoutes(keys, places).operations(),
            *ConsoleLatencyRoutes(keys, self.database).operations(),
            *SessionRoutes(keys, places).operations(),
        )

    def had(self, *sessions: Told) -> None:
        """Sessions of the first account that were."""
        for session in sessions:
            tell(self.database, Told(**{**_fields(session), "account": self.mine.account}))

    async def _settle(self, seconds: float) -> bool:
        self.settled.append(seconds)
        return True


def _fields(session: Told) -> dict[str, Any]:
    return {name: getattr(session, name) for name in session.__struct_fields__}
