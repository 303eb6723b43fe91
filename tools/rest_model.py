"""The REST API as its documents see it: operations that nobody will ask."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from antiphon_protocol.json_schema import Schema
from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.rest import openapi, resources
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.resources import Resources
from antiphon_server.rest.sessions import SessionPlaces
from antiphon_server.security.keys import Keys
from antiphon_server.security.links import Links
from antiphon_server.security.outbound_errors import UnsafeUrl
from antiphon_server.security.secrets import KEY_BYTES, Vault
from antiphon_server.settings import Settings
from antiphon_server.store.agents import Agents
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.database import Database
from antiphon_server.store.idempotency import Claims
from antiphon_server.store.retention import Keeping


class _NoWayOut:
    """Reaches nothing."""

    async def check_url(self, url: str) -> None:
        """Raises ``UnsafeUrl``."""
        raise UnsafeUrl(url)


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the server, on a database that is gone again."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/antiphon.db")
        database.dispose()
    vault = Vault((bytes(KEY_BYTES),))
    keeping = Keeping(database, Folder(Path()))
    return resources.operations(
        Resources(
            keys=Keys(()),
            vault=vault,
            guard=_NoWayOut(),
            agents=Agents(database, vault),
            claims=Claims(database),
            places=SessionPlaces(keeping, Links(vault.pepper)),
            stages=Pipeline(Settings()),
        )
    )


@cache
def document() -> Schema:
    """The OpenAPI document, as the server serves it."""
    return openapi.document(operations())
