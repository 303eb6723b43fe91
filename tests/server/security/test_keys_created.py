"""Keys that were created: what they allow, how they end, and the end of development mode."""

from __future__ import annotations

import secrets
import time

import pytest
import structlog

from antiphon_protocol.errors import InternalError, Unauthorized
from antiphon_server.security.admission import Admission
from antiphon_server.store.database import Database, Unreachable
from server.security.created_keys import (
    PEPPER,
    Clock,
    asked,
    create,
    keys_of,
    last_used_at,
    revoke,
    unreachable,
)

PAGE = "https://app.example.com"

# --- created keys --------------------------------------------------------------------------


async def test_a_created_key_allows_what_it_says(database: Database) -> None:
    """Its account, its scopes, its limits, its origins."""
    key_id, text = create(
        database, account="shop", scopes=("calls", "usage"), origins=(PAGE,),
        max_sessions=3, sessions_per_minute=7,
    )  # fmt: skip
    keys = keys_of(database)
    expected = Admission(
        account="shop", key_id=key_id, scopes=("calls", "usage"), origins=(PAGE,),
        max_sessions=3, sessions_per_minute=7,
    )  # fmt: skip
    assert await keys.admit(text) == await keys.owner(text) == expected
    await keys.close()


async def test_two_keys_of_an_account_are_good_at_once(database: Database) -> None:
    """So that one can be replaced without a pause; both see the same."""
    keys = keys_of(database)
    old_id, old = create(database)
    _, new = create(database)
    assert (await keys.admit(old)).account == (await keys.admit(new)).account == "default"
    revoke(database, old_id)
    assert (await keys.admit(new)).account == "default"
    await keys.close()


async def test_keys_of_the_settings_and_created_ones_live_side_by_side(database: Database) -> None:
    """Neither knows of the other."""
    keys = keys_of(database, "key-1")
    _, text = create(database)
    accounts = {(await keys.admit(presented)).account for presented in ("key-1", text)}
    assert len(accounts) == 2
    await keys.close()


async def test_a_key_is_compared_to_its_last_character(database: Database) -> None:
    """Every single change of the secret, or of the id, is another key."""
    keys = keys_of(database)
    _, text = create(database)
    for at in range(len("antiphon_"), len(text)):
        changed = text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]
        with pytest.raises(Unauthorized):
            await keys.admit(changed)
    await keys.admit(text)
    await keys.close()


async def test_a_row_copied_onto_another_id_is_no_key(database: Database) -> None:
    """Who can write the database still has no key of another account."""
    _, text = create(database)
    forged = f"antiphon_{secrets.token_hex(8)}_{text[-43:]}"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO api_keys (id, account, name, digest, scopes, origins, created_at) "  # noqa: S608
            f"SELECT 'key_{forged[9:25]}', 'victim', name, digest, scopes, origins, created_at "
            f"FROM api_keys"
        )
    with pytest.raises(Unauthorized):
        await keys_of(database).admit(forged)


async def test_a_revoked_key_opens_nothing_after_5_seconds(database: Database) -> None:
    """At once where nobody had asked; it cannot come back."""
    clock = Clock()
    keys = keys_of(database, clock=clock)
    key_id, text = create(database)
    await keys.admit(text)
    revoke(database, key_id)
    with pytest.raises(Unauthorized):
        await keys_of(database).admit(text)
    clock.now += 5
    for _ in range(3):
        for way in (keys.admit, keys.owner):
            with pytest.raises(Unauthorized):
                await way(text)
        clock.now += 1000
    await keys.close()


@pytest.mark.parametrize(("seconds", "good"), [(60, True), (0, False), (-1, False)])
async def test_a_key_expires(seconds: float, good: bool, database: Database) -> None:
    """At its time, to the moment, whatever is remembered of it."""
    keys = keys_of(database)
    _, text = create(database, expires_at=time.time() + seconds)
    if good:
        await keys.admit(text)
        await keys.close()
    else:
        with pytest.raises(Unauthorized):
            await keys.admit(text)


async def test_a_key_of_another_pepper_is_refused_and_the_operator_told(database: Database) -> None:
    """Who created it with another secret key sees why it is refused; a guesser causes no line."""
    key_id, text = create(database, pepper=PEPPER[::-1])
    own_id, own = create(database)
    keys = keys_of(database)
    with structlog.testing.capture_logs() as lines, pytest.raises(Unauthorized):
        await keys.admit(text)
    assert [line["key"] for line in lines] == [key_id]
    assert "ANTIPHON_SECRET_KEYS" in lines[0]["event"]
    with structlog.testing.capture_logs() as lines, pytest.raises(Unauthorized):
        await keys.admit(own[:-43] + "A" * 43)
    assert lines == []
    assert last_used_at(database, own_id) is None


async def test_a_session_costs_no_question_normally(database: Database) -> None:
    """A thousand of them, one question; none for keys of the settings."""
    keys = keys_of(database, "key-1")
    _, text = create(database)
    with asked(database) as statements:
        for _ in range(1000):
            await keys.admit(text)
            await keys.admit("key-1")
        await keys.close()
    assert [words.split()[0] for words in statements if "api_keys" in words] == ["SELECT", "UPDATE"]


async def test_without_the_database_known_keys_go_on(database: Database) -> None:
    """For 5 minutes; of others nobody says that they are wrong, for that is not known."""
    clock = Clock()
    keys = keys_of(database, "key-1", clock=clock)
    _, text = create(database)
    _, other = create(database)
    await keys.admit(text)
    clock.now += 299
    with unreachable(database):
        await keys.admit(text)
        await keys.admit("key-1")
        with pytest.raises(InternalError, match="cannot be checked") as refused:
            await keys.admit(other)
        assert refused.value.close_code == 1011
        with pytest.raises(Unreachable):
            await keys.owner(other)
        clock.now += 1
        with pytest.raises(InternalError):
            await keys.admit(text)
    clock.now += 1
    await keys.admit(other)
    await keys.close()


# --- development mode ----------------------------------------------------------------------


async def test_the_first_key_ends_the_development_mode(database: Database) -> None:
    """Within 5 seconds, at once when it is used, and for good, even when it is revoked."""
    clock = Clock()
    keys = keys_of(database, clock=clock)
    assert await keys.is_open()
    assert (await keys.admit("anything")).key_id is None
    key_id, text = create(database)
    clock.now += 5
    with pytest.raises(Unauthorized):
        await keys.admit("anything")
    revoke(database, key_id)
    clock.now += 1000
    with pytest.raises(Unauthorized):
        await keys.admit(text)
    assert not await keys.is_open()
    assert not await keys_of(database).is_open()


async def test_using_the_first_key_ends_it_at_once(database: Database) -> None:
    """In the same moment nobody else is let in any more, nor a token from before."""
    keys = keys_of(database)
    token = keys.mint(await keys.owner(None), 60, 60)
    await keys.admit(token)
    _, text = create(database)
    await keys.admit(text)
    for presented in ("anything", None, token):
        with pytest.raises(Unauthorized):
            await keys.admit(presented)
    await keys.close()


async def test_nobody_is_let_in_while_it_is_not_known(database: Database) -> None:
    """A server whose database is away at the start is not open by mistake."""
    keys = keys_of(database)
    with unreachable(database):
        with pytest.raises(InternalError):
            await keys.admit("anything")
        with pytest.raises(Unreachable):
            await keys.is_open()
