"""The API keys that were created, one row each; a revoked one stays, as a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.security import key_text
from antiphon_server.security.admission import SCOPES, Admission, Scope
from antiphon_server.store.database import Database
from antiphon_server.store.tables import api_keys


class StoredKey(Struct, frozen=True, kw_only=True):
    """A key as it is kept. Times are Unix seconds; None is never, or no limit of its own."""

    id: str
    account: str
    name: str
    digest: bytes
    scopes: tuple[Scope, ...] = SCOPES
    origins: tuple[str, ...] = ()
    max_sessions: int | None = None
    sessions_per_minute: int | None = None
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None

    @property
    def admission(self) -> Admission:
        """What it allows while it is good."""
        return Admission(
            account=self.account,
            key_id=self.id,
            max_sessions=self.max_sessions,
            sessions_per_minute=self.sessions_per_minute,
            scopes=self.scopes,
            origins=self.origins,
        )

    def is_good(self, at: float) -> bool:
        """Whether it was neither revoked nor expired at this time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def insert(connection: sa.Connection, key: StoredKey) -> None:
    """Keeps a new key."""
    values = {name: getattr(key, name) for name in key.__struct_fields__}
    connection.execute(sa.insert(api_keys).values(values))


class OtherPepper(Exception):
    """Keys of this database were created under another secret key; the message says which."""


def insert_beside(connection: sa.Connection, key: StoredKey) -> None:
    """As ``insert``, unless the server would refuse the key as it would the others.

    Raises ``OtherPepper``.
    """
    others = [other for other in every(connection) if other.is_good(key.created_at)]
    mark = key_text.mark_of(key.digest)
    foreign = [other.id for other in others if key_text.mark_of(other.digest) != mark]
    if foreign:
        raise OtherPepper(
            f"the keys of this database ({', '.join(foreign[:3])}{'…' if foreign[3:] else ''}) "
            "were created under another secret key, so its server would refuse this one: use the "
            "server's ANTIPHON_SECRET_KEYS or its ANTIPHON_DATA_DIR (the file secret.key); if "
            "that is lost, revoke those keys first"
        )
    insert(connection, key)


def find(connection: sa.Connection, key_id: str) -> StoredKey | None:
    """The key of an id, also a revoked one."""
    rows = connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id)).mappings()
    return next(map(_key, rows), None)


def every(connection: sa.Connection) -> list[StoredKey]:
    """All keys, the newest first."""
    query = sa.select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    return [_key(row) for row in connection.execute(query).mappings()]


def revoke(connection: sa.Connection, key_id: str, at: float) -> StoredKey | None:
    """Ends a key, once: the first time stays. The key as it is now; None when there is none."""
    live = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    connection.execute(sa.update(api_keys).where(live).values(revoked_at=at))
    return find(connection, key_id)


def exists(connection: sa.Connection) -> bool:
    """Whether a key was ever created."""
    return connection.execute(sa.select(api_keys.c.id).limit(1)).first() is not None


def used(connection: sa.Connection, key_id: str, at: float) -> None:
    """A key was used; an earlier time than the one that is kept changes nothing."""
    last = api_keys.c.last_used_at
    newer = (api_keys.c.id == key_id) & (last.is_(None) | (last < at))
    connection.execute(sa.update(api_keys).where(newer).values(last_used_at=at))


class KeyStore:
    """The keys of a database, off the event loop. Every method raises ``Unreachable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_id: str) -> StoredKey | None:
        """The key of an id, also a revoked one."""
        return await self._database.read(lambda connection: find(connection, key_id))

    async def exists(self) -> bool:
        """Whether a key was ever created."""
        return await self._database.read(exists)

    async def used(self, key_id: str, at: float) -> None:
        """A key was used at this time."""
        await self._database.write(lambda connection: used(connection, key_id, at))


def _key(row: Mapping[Any, Any]) -> StoredKey:
    lists = {name: tuple(row[name]) for name in ("scopes", "origins")}
    return StoredKey(**{**row, **lists})
