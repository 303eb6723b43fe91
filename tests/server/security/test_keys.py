"""Who may open a session."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import inspect
import textwrap

import pytest
import structlog

from antiphon_protocol.errors import Unauthorized
from antiphon_server.security import keys as keys_module
from antiphon_server.security.admission import ANYBODY, SCOPES, UNKNOWN_ORIGIN, Admission
from antiphon_server.security.keys import Keys
from antiphon_server.security.tokens import Tokens
from antiphon_server.store.database import Database
from server.security.created_keys import (
    Clock,
    create,
    keys_of,
    revoke,
)

PAGE = "https://app.example.com"

# --- keys of the settings ------------------------------------------------------------------


async def test_without_keys_everybody_is_let_in() -> None:
    """Development mode."""
    keys = Keys(())
    assert await keys.is_open()
    for presented in (None, "", "anything"):
        assert await keys.admit(presented) == Admission(account=ANYBODY)


@pytest.mark.parametrize("presented", ["key-1", "key-2", "schlüssel"])
async def test_each_key_is_let_in(presented: str) -> None:
    """Several may be valid at once, so that one can be replaced; each is an account, for
    everything and without limits of its own.
    """
    keys = Keys(("key-1", "key-2", "schlüssel"))
    assert not await keys.is_open()
    admission = await keys.admit(presented)
    account = hashlib.sha256(presented.encode()).hexdigest()
    assert admission == Admission(account=account, key_id=f"env_{account[:16]}")
    assert await keys.owner(presented) == admission


HOSTILE = [
    None, "", "key", "key-10", "KEY-1", " key-1", "key-1\x00", "\x00", "ключ", "k" * 100_000,
    "\udcff", "key-1, key-1", "key-1\r\nx: y", "\xff\xfe", "antiphon_", "antiphon__",
    "antiphon_" + "0" * 16 + "_" + "A" * 43, "' OR 1=1 --",
]  # fmt: skip


async def test_anything_else_is_refused_alike(database: Database) -> None:
    """Missing, wrong or nearly right: the same words (section 1.3)."""
    create(database)
    for keys in (Keys(("key-1", "key-2")), keys_of(database, "key-1"), keys_of(database)):
        for way in (keys.admit, keys.owner):
            for presented in HOSTILE:
                with pytest.raises(Unauthorized) as refused:
                    await way(presented)
                assert refused.value.message == "Authentication failed"
                assert refused.value.param is None


# --- where from, what for ------------------------------------------------------------------


async def test_a_page_of_another_origin_is_refused_like_a_wrong_key(database: Database) -> None:
    """With the key and with its token; a server without an origin may use both in a header."""
    keys = keys_of(database)
    _, text = create(database, origins=(PAGE,))
    token = keys.mint(await keys.owner(text), 60, 60)
    for presented in (text, token):
        for good in (PAGE, None):
            await keys.admit(presented, good)
        for bad in ("https://evil.example", "null", UNKNOWN_ORIGIN):
            with pytest.raises(Unauthorized) as refused:
                await keys.admit(presented, bad)
            assert refused.value.message == "Authentication failed"
    await keys.close()


async def test_a_key_without_origins_is_good_anywhere(database: Database) -> None:
    """Also those of the settings."""
    keys = keys_of(database, "key-1")
    _, text = create(database)
    for presented in (text, "key-1"):
        for origin in (PAGE, "null", UNKNOWN_ORIGIN, None):
            await keys.admit(presented, origin)
    await keys.close()


async def test_a_key_that_is_not_for_calls_opens_none(database: Database) -> None:
    """It is somebody all the same."""
    keys = keys_of(database)
    _, text = create(database, scopes=tuple(scope for scope in SCOPES if scope != "calls"))
    with pytest.raises(Unauthorized):
        await keys.admit(text)
    assert (await keys.owner(text)).account == "default"
    await keys.close()


# --- tokens --------------------------------------------------------------------------------


async def _with_token(*keys: str, one_time: bool = False) -> tuple[Keys, str]:
    known = Keys(keys, Tokens(one_time=one_time))
    return known, known.mint(await known.owner(keys[0] if keys else None), 60, 60)


async def test_a_token_allows_what_it_was_minted_for(database: Database) -> None:
    """Sessions, in the name of the key and within its limits; nothing else."""
    keys = keys_of(database)
    key_id, text = create(database, origins=(PAGE,), max_sessions=1, sessions_per_minute=2)
    token = keys.mint(await keys.owner(text), 60, 60)
    assert await keys.admit(token) == Admission(
        account="default", key_id=key_id, session_seconds=60, max_sessions=1,
        sessions_per_minute=2, scopes=("calls",), origins=(PAGE,), by_token=True,
    )  # fmt: skip
    await keys.close()


async def test_a_token_is_no_key() -> None:
    """Or it could prolong itself by minting another."""
    keys, token = await _with_token("key-1")
    await keys.admit(token)
    with pytest.raises(Unauthorized):
        await keys.owner(token)


async def test_a_one_time_token_is_used_up_by_spending_only() -> None:
    """Admitting is a question; the second session is refused. A key is never used up."""
    keys, token = await _with_token("key-1", one_time=True)
    admission = await keys.admit(token)
    assert await keys.admit(token) == admission
    assert keys.spend(token, admission)
    assert not keys.spend(token, admission)
    with pytest.raises(Unauthorized):
        await keys.admit(token)
    for _ in range(3):
        assert keys.spend("key-1", await keys.admit("key-1"))


async def test_of_a_hundred_who_were_admitted_one_may_open() -> None:
    """Each with each token, all at once (reliability: T2)."""
    keys, _ = await _with_token("key-1", one_time=True)
    owner = await keys.owner("key-1")
    tokens = [keys.mint(owner, 60, 60) for _ in range(100)]

    async def race(token: str) -> bool:
        try:
            return keys.spend(token, await keys.admit(token))
        except Unauthorized:
            return False

    won = await asyncio.gather(*(race(token) for token in tokens for _ in range(100)))
    assert won.count(True) == 100


async def test_a_token_that_may_be_used_again_is_never_spent() -> None:
    """As with the hosted service."""
    keys, token = await _with_token("key-1")
    for _ in range(3):
        assert keys.spend(token, await keys.admit(token))


async def test_a_token_of_another_process_is_refused() -> None:
    """Tokens are kept in memory, each process its own."""
    _, token = await _with_token("key-1")
    with pytest.raises(Unauthorized):
        await Keys(("key-1",)).admit(token)


async def test_without_keys_a_token_still_counts() -> None:
    """It limits the session; everybody else is let in without a limit."""
    keys, token = await _with_token()
    assert (await keys.admit(token)).session_seconds == 60
    assert (await keys.admit("anything")).session_seconds is None


@pytest.mark.parametrize("ends", ["revoked", "expired"])
async def test_a_key_takes_its_tokens_with_it(ends: str, database: Database) -> None:
    """Those of the account's other keys stay."""
    clock = Clock()
    keys = keys_of(database, clock=clock)
    key_id, text = create(database)
    _, other = create(database)
    token = keys.mint(await keys.owner(text), 60, 600)
    others = keys.mint(await keys.owner(other), 60, 600)
    await keys.admit(token)
    if ends == "revoked":
        revoke(database, key_id)
    else:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE api_keys SET expires_at = 1 WHERE id = '{key_id}'")  # noqa: S608
    clock.now += 5
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await keys.admit(token)
    await keys.admit(others)
    assert len(keys._tokens._grants) == 1
    await keys.close()


# --- secrets -------------------------------------------------------------------------------


async def test_no_secret_is_kept_anywhere(database: Database) -> None:
    """Neither in memory, nor in the database's files, nor in a log or an error (T1, T3)."""
    with structlog.testing.capture_logs() as lines:
        keys = keys_of(database, "canary-of-the-settings")
        _, text = create(database)
        token = keys.mint(await keys.owner(text), 60, 60)
        for presented in (text, token, "canary-of-the-settings"):
            await keys.admit(presented)
        wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
        with pytest.raises(Unauthorized) as refused:
            await keys.admit(wrong)
        await keys.close()
    with database.engine.connect() as connection:
        dump = repr(connection.exec_driver_sql("SELECT * FROM api_keys").all()).encode()
    held = repr([vars(one) for one in (keys, keys._tokens, keys._stored)])
    told = f"{lines} {refused.value!r} {refused.value.message} {keys!r} {held}"
    for secret in (text, text[-43:], wrong, token, "canary-of-the-settings"):
        assert secret not in told
        assert secret.encode() not in dump


def test_no_comparison_ends_early() -> None:
    """Every key is compared in full, in constant time, before anything depends on the result.

    Read from the source, because a clock on a busy machine proves nothing.
    """
    for function in (Keys._of_settings, Keys._of_store):
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        compared = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "hmac.compare_digest"
        ]
        assert len(compared) == 1
        for loop in ast.walk(tree):
            if isinstance(loop, ast.For | ast.While | ast.ListComp | ast.GeneratorExp):
                assert isinstance(loop, ast.ListComp)
                assert not [part for one in loop.generators for part in one.ifs]
    assert " == " not in inspect.getsource(keys_module)
