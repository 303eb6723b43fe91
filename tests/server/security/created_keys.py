"""A database with keys in it, what is asked of it, and how it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from antiphon_server.security import key_text
from antiphon_server.security.keys import Keys
from antiphon_server.store import keys as rows
from antiphon_server.store.database import Database
from antiphon_server.store.keys import KeyStore, StoredKey

PEPPER = bytes(range(32))


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def create(database: Database, pepper: bytes = PEPPER, **values: Any) -> tuple[str, str]:
    """A key in the database, with these values: its id, and the key."""
    key_id, text = key_text.new_key()
    usual = {"account": "default", "name": "test", "created_at": time.time()}
    digest = key_text.digest(pepper, text)
    key = StoredKey(**{**usual, "id": key_id, "digest": digest, **values})
    database.now(lambda connection: rows.insert(connection, key))
    return key_id, text


def found(key: StoredKey | None) -> StoredKey:
    """The key, which must be there."""
    assert key is not None
    return key


def revoke(database: Database, key_id: str) -> None:
    """Ends a key, as another process does."""
    database.now(lambda connection: rows.revoke(connection, key_id, time.time()))


def last_used_at(database: Database, key_id: str) -> float | None:
    """When the database thinks a key was last used."""
    return found(database.now(lambda connection: rows.find(connection, key_id))).last_used_at


@contextmanager
def asked(database: Database) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    statements: list[str] = []

    def note(*event: Any) -> None:
        statements.append(event[2])

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(database.engine, "before_cursor_execute", note)


@contextmanager
def unreachable(database: Database) -> Iterator[None]:
    """Nothing can be asked of the database meanwhile: each statement fails as a dead server's."""

    def fail(*_: Any) -> None:
        raise sa.exc.OperationalError("", {}, OSError("connection refused"))

    sa.event.listen(database.engine, "before_cursor_execute", fail)
    yield
    sa.event.remove(database.engine, "before_cursor_execute", fail)


def keys_of(database: Database, *keys: str, clock: Clock | None = None) -> Keys:
    """What a server with this database admits, and these keys in its settings."""
    return Keys(keys, store=KeyStore(database), pepper=PEPPER, clock=clock or Clock())
