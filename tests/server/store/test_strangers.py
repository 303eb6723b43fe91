"""What of a database this server's secret keys do not fit, on both databases."""

from __future__ import annotations

import time

import sqlalchemy as sa

from antiphon_server.security.secrets import Vault
from antiphon_server.store.database import Database
from antiphon_server.store.strangers import Strangers, strangers
from antiphon_server.store.tables import agents, webhook_subscriptions
from server.security.created_keys import create, revoke

OURS = Vault((b"o" * 32,))
THEIRS = Vault((b"t" * 32,))
ROTATED = Vault((b"n" * 32, b"o" * 32))


def _seen(database: Database, vault: Vault) -> Strangers:
    return database.now(lambda connection: strangers(connection, vault), writes=False)


def _keep_secrets(database: Database, vault: Vault, number: int) -> None:
    """An agent with a secret, one without, and a subscription."""
    times = {"created_at": 1.0, "updated_at": 1.0}
    agent = {"account": "a", "name": "n", "body": {}, **times}
    subscription = {
        "account": "a", "url": "https://a.example", "events": [], "secret_version": 1,
        "enabled": True, **times,
    }  # fmt: skip
    sealed = vault.seal(b"canary", "c")

    def work(connection: sa.Connection) -> None:
        for name, secret in ((f"agent_{number}", sealed), (f"plain_{number}", None)):
            connection.execute(sa.insert(agents).values(id=name, secrets=secret, **agent))
        connection.execute(
            sa.insert(webhook_subscriptions).values(
                id=f"wh_{number}", secret=sealed, **subscription
            )
        )

    database.now(work)


def test_in_an_empty_database_nothing_is_strange(database: Database) -> None:
    """The first start of a server."""
    assert _seen(database, OURS) == Strangers((), (), 0)
    assert not _seen(database, OURS).shuts_out


def test_what_any_of_its_keys_made_is_its_own(database: Database) -> None:
    """Also after a new key was put in front: then old secrets open, and old API keys are good."""
    key_id, _ = create(database, OURS.pepper)
    _keep_secrets(database, OURS, 1)
    for vault in (OURS, ROTATED):
        assert _seen(database, vault) == Strangers((), (key_id,), 0)


def test_what_other_keys_made_is_named_and_counted(database: Database) -> None:
    """With what to do about it, and none of the secrets."""
    key_id, text = create(database, THEIRS.pepper)
    _keep_secrets(database, THEIRS, 1)
    _keep_secrets(database, OURS, 2)
    seen = _seen(database, OURS)
    assert seen == Strangers((key_id,), (), 2)
    said = str(seen)
    for word in (key_id, "2 secrets", "ANTIPHON_SECRET_KEYS", "secret.key"):
        assert word in said
    assert text not in said
    assert "canary" not in said


def test_it_shuts_out_only_if_no_key_is_good(database: Database) -> None:
    """One that fits is enough to come in with; those that are over count for nothing."""
    theirs, _ = create(database, THEIRS.pepper)
    create(database, THEIRS.pepper, expires_at=time.time() - 1)
    assert _seen(database, OURS).keys == (theirs,)
    assert _seen(database, OURS).shuts_out
    create(database, OURS.pepper)
    assert not _seen(database, OURS).shuts_out
    revoke(database, theirs)
    assert _seen(database, OURS).keys == ()


def test_many_keys_are_told_as_a_few() -> None:
    """The message stays one line."""
    said = str(Strangers(tuple(f"key_{number}" for number in range(9)), (), 0))
    assert "key_0, key_1, key_2…" in said
    assert "key_3" not in said
    assert "secrets of agents" not in said
