"""``antiphon keys``: create, list and revoke the API keys of a server, also while it runs."""

from __future__ import annotations

import argparse
import os
import sys
import time

import sqlalchemy as sa

from antiphon_server import keys_options as options
from antiphon_server import settings as settings_module
from antiphon_server.env_file import Environment
from antiphon_server.keys_report import as_json, as_table, moment
from antiphon_server.security import key_text
from antiphon_server.security.admission import ALL_SCOPES, SCOPES
from antiphon_server.security.secrets import KeyFault, load_keys
from antiphon_server.settings import Settings, SettingsError
from antiphon_server.store import keys as rows
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.keys import StoredKey
from antiphon_server.store.location import data_folder, database_setting, database_url
from antiphon_server.store.migrate import NewerDatabase, UnfitDatabase, upgrade

FAILED = 1
MISCONFIGURED = 2

_WHERE = (
    "The keys are in the server's database, which is found by the same settings as the server's: "
    "run this with the server's environment (ANTIPHON_DATA_DIR, ANTIPHON_DATABASE_URL, "
    "ANTIPHON_SECRET_KEYS) and as its user."
)


class Refusal(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


class Keys:
    """The command, as ``antiphon`` finds it."""

    help = "Create, list and revoke API keys."

    def __init__(self) -> None:
        self._parser: argparse.ArgumentParser | None = None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the actions and their options."""
        self._parser = parser
        parser.description = f"Create, list and revoke the API keys of a server. {_WHERE}"
        actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
        create = actions.add_parser(
            "create",
            help="create a key and print it, once",
            description="Create a key. It is printed on standard output, this once: only a digest "
            f"is kept. A running server takes it at once. {_WHERE}",
        )
        options.add_create(create)
        listed = actions.add_parser(
            "list",
            help="list the keys, without their secrets",
            description=f"List the keys that were created, also revoked ones. {_WHERE}",
        )
        listed.add_argument("--json", action="store_true", help="as a JSON list, for programs")
        revoke = actions.add_parser(
            "revoke",
            help="end a key and its tokens",
            description="End a key: within 5 seconds a running server opens no session with it, "
            f"nor with a token that was minted with it. Sessions that are open go on. {_WHERE}",
        )
        revoke.add_argument("key", metavar="KEY_ID", help="its id (key_…), or the key itself")

    def run(self, args: argparse.Namespace) -> int:
        """Does it: 0; 1 where it cannot be done, 2 for wrong settings, said on standard error."""
        actions = {"create": _create, "list": _list, "revoke": _revoke}
        if args.action is None:
            if self._parser is not None:
                self._parser.print_help(sys.stderr)
            return MISCONFIGURED
        try:
            # Where the server listens is nothing to these commands.
            settings = settings_module.read(Environment(os.environ).read(), host="127.0.0.1")
            database = Database(database_url(settings))
            try:
                upgrade(database)
                actions[args.action](args, settings, database)
            finally:
                database.dispose()
        except (SettingsError, KeyFault) as failure:
            return _refuse(str(failure), MISCONFIGURED)
        except (Unreachable, NewerDatabase, UnfitDatabase) as failure:
            return _refuse(f"{failure} (see {database_setting(settings)})", FAILED)
        except Refusal as failure:
            return _refuse(str(failure), FAILED)
        return 0


def _create(args: argparse.Namespace, settings: Settings, database: Database) -> None:
    vault = load_keys(settings.secret_keys, data_folder(settings))
    key_id, text = key_text.new_key()
    now = time.time()
    key = StoredKey(
        id=key_id,
        account=args.account,
        name=args.name,
        digest=key_text.digest(vault.pepper, text),
        scopes=tuple(scope for scope in ALL_SCOPES if scope in (args.scope or SCOPES)),
        origins=tuple(dict.fromkeys(args.origin or ())),
        max_sessions=args.max_sessions,
        sessions_per_minute=args.sessions_per_minute,
        created_at=now,
        expires_at=None if args.expires_in is None else now + args.expires_in,
    )
    database.now(lambda connection: _insert(connection, key))
    _tell(_created(key))
    print(text, flush=True)  # noqa: T201


def _insert(connection: sa.Connection, key: StoredKey) -> None:
    """Keeps a key. Raises ``Refusal``."""
    try:
        rows.insert_beside(connection, key)
    except rows.OtherPepper as others:
        raise Refusal(str(others)) from others


def _created(key: StoredKey) -> str:
    limits = {
        "only from": ", ".join(key.origins),
        "sessions at once": key.max_sessions,
        "new sessions a minute": key.sessions_per_minute,
        "expires": key.expires_at and moment(key.expires_at),
    }
    said = "".join(f"; {name} {value}" for name, value in limits.items() if value)
    return (
        f"Created {key.id} ({key.name}) of account '{key.account}' for "
        f"{', '.join(key.scopes)}{said}.\n"
        "Store it now: it is not shown again. Clients send it as `Authorization: Bearer KEY`.\n"
        f"To end it: antiphon keys revoke {key.id}"
    )


def _list(args: argparse.Namespace, _settings: Settings, database: Database) -> None:
    found = database.now(rows.every, writes=False)
    if args.json:
        print(as_json(found))  # noqa: T201
    elif found:
        print(as_table(found, time.time()))  # noqa: T201
    else:
        _tell("No key was created yet: antiphon keys create --name NAME")


def _revoke(args: argparse.Namespace, _settings: Settings, database: Database) -> None:
    key_id = key_text.id_of(args.key) or args.key
    now = time.time()
    key = database.now(lambda connection: rows.revoke(connection, key_id, now))
    if key is None:
        # Not repeated as it is: it may be a key with a letter missing.
        raise Refusal(f"there is no key {key_id[:20]!r}: `antiphon keys list` shows their ids")
    if key.revoked_at != now:
        _tell(f"{key.id} ({key.name}) was revoked before.")
        return
    _tell(
        f"Revoked {key.id} ({key.name}): within 5 seconds it opens nothing more. Sessions that "
        "are open go on."
    )


def _tell(text: str) -> None:
    """For a person; standard output is for programs."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _refuse(reason: str, status: int) -> int:
    _tell(f"antiphon keys: {reason}")
    return status


keys = Keys()
