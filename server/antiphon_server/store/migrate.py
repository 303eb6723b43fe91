"""A database gets the tables of this version, whatever version it had before.

Alembic does it, in one transaction, so a failure leaves what there was. There is no way back
to an older version but a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from antiphon_server.store.database import Database

SCRIPTS = "antiphon_server.store:migrations"
LOCK = 0x616E7469
"""The advisory lock of PostgreSQL that one upgrade at a time may hold: any number of our own."""


class NewerDatabase(Exception):
    """The database has tables of a later version; the message says what to do."""


def upgrade(database: Database) -> None:
    """Brings a database to this version's tables; it may be empty, and may be there already.

    Several processes may do it at once: one upgrades, the others wait. Raises ``Unreachable``,
    and ``NewerDatabase`` for one that a later version has upgraded.
    """
    database.now(_upgrade)


def _upgrade(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    scripts = configuration()
    _refuse_newer(connection, ScriptDirectory.from_config(scripts))
    scripts.attributes["connection"] = connection
    command.upgrade(scripts, "head")


def _refuse_newer(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise NewerDatabase(
            f"{connection.engine.url} was upgraded by a newer Antiphon (to revision "
            f"{', '.join(sorted(unknown))}; this one knows {scripts.get_current_head()}): install "
            "that version again, or restore a backup"
        )


def configuration() -> Config:
    """What Alembic is told, in place of an alembic.ini."""
    scripts = Config()
    scripts.set_main_option("script_location", SCRIPTS)
    scripts.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
    return scripts
