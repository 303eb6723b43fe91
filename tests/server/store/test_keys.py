"""The rows of created keys."""

from __future__ import annotations

from functools import partial

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from antiphon_server.security import key_text
from antiphon_server.security.admission import SCOPES, Admission
from antiphon_server.store import keys
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.keys import KeyStore, StoredKey
from server.security.created_keys import create, found, last_used_at, revoke, unreachable

KEY = StoredKey(id="key_1", account="shop", name="Näme", digest=b"\x00\xff", created_at=1.25)
WHOLE = StoredKey(
    id="key_2",
    account="shop",
    name="'; DROP TABLE api_keys; --",
    digest=bytes(range(40)),
    scopes=("usage",),
    origins=("https://a.example", "https://b.example"),
    max_sessions=3,
    sessions_per_minute=5,
    created_at=2.5,
    expires_at=1e10,
    last_used_at=3.5,
    revoked_at=4.5,
)


@pytest.mark.parametrize("key", [KEY, WHOLE], ids=["least", "whole"])
def test_a_key_comes_back_as_it_was_kept(key: StoredKey, database: Database) -> None:
    """Every field of it."""
    database.now(lambda connection: keys.insert(connection, key))
    assert database.now(lambda connection: keys.find(connection, key.id)) == key
    assert database.now(lambda connection: keys.find(connection, "key_3")) is None


def test_an_id_is_there_once(database: Database) -> None:
    """Another key cannot take its place."""
    database.now(lambda connection: keys.insert(connection, KEY))
    with pytest.raises(sa.exc.IntegrityError):
        database.now(lambda connection: keys.insert(connection, KEY))


def test_all_keys_are_listed_the_newest_first(database: Database) -> None:
    """Also revoked ones; and whether there ever was one."""
    assert not database.now(keys.exists)
    for key in (KEY, WHOLE):
        database.now(partial(keys.insert, key=key))
    assert database.now(keys.every) == [WHOLE, KEY]
    assert database.now(keys.exists)


def test_a_key_is_revoked_once(database: Database) -> None:
    """The first time stays; an id that nobody has is told."""
    key_id, _ = create(database)
    other_id, _ = create(database)
    for at in (10.0, 20.0):
        key = found(database.now(partial(keys.revoke, key_id=key_id, at=at)))
        assert key.revoked_at == 10.0
    assert database.now(lambda connection: keys.revoke(connection, "key_0", 1.0)) is None
    other = found(database.now(lambda connection: keys.find(connection, other_id)))
    assert other.revoked_at is None


def test_the_last_use_never_goes_back(database: Database) -> None:
    """Whatever order several servers write in."""
    key_id, _ = create(database)
    for at, expected in ((10.0, 10.0), (5.0, 10.0), (20.0, 20.0)):
        database.now(partial(keys.used, key_id=key_id, at=at))
        assert last_used_at(database, key_id) == expected


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "is_good"),
    [(None, None, True), (None, 100.5, True), (None, 100.0, False), (1.0, None, False)],
)
def test_a_key_is_good_until_it_is_not(
    revoked_at: float | None, expires_at: float | None, is_good: bool
) -> None:
    """At 100 seconds."""
    key = StoredKey(
        id="key_1", account="a", name="", digest=b"", created_at=0.0,
        revoked_at=revoked_at, expires_at=expires_at,
    )  # fmt: skip
    assert key.is_good(100.0) is is_good


def test_a_key_says_what_it_allows() -> None:
    """All scopes, by default, and no limits of its own."""
    assert KEY.admission == Admission(account="shop", key_id="key_1", scopes=SCOPES)
    assert WHOLE.admission == Admission(
        account="shop", key_id="key_2", scopes=("usage",), origins=WHOLE.origins,
        max_sessions=3, sessions_per_minute=5,
    )  # fmt: skip


def test_a_key_that_the_server_would_refuse_is_not_kept(database: Database) -> None:
    """Beside good ones of another pepper; beside ones that are revoked or expired it is."""
    foreign, _ = create(database, pepper=b"another pepper")
    mine = replace(KEY, id="key_mine", digest=key_text.digest(b"pepper", "text"))
    with pytest.raises(keys.OtherPepper, match=foreign):
        database.now(lambda connection: keys.insert_beside(connection, mine))
    revoke(database, foreign)
    create(database, pepper=b"a third one", expires_at=mine.created_at - 1)
    database.now(lambda connection: keys.insert_beside(connection, mine))
    assert database.now(lambda connection: keys.find(connection, "key_mine")) == mine


async def test_the_store_is_off_the_loop(database: Database) -> None:
    """The same, for those who must not wait; and it says when it cannot be used."""
    store = KeyStore(database)
    assert not await store.exists()
    key_id, _ = create(database)
    await store.used(key_id, 7.0)
    assert found(await store.find(key_id)).last_used_at == 7.0
    assert await store.exists()
    with unreachable(database):
        for question in (store.find(key_id), store.exists(), store.used(key_id, 8.0)):
            with pytest.raises(Unreachable):
                await question
