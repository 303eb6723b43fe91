"""A database gets the tables of this version, whatever version it had before.

Alembic does it, in one transaction, so a failure leaves what there was. There is no way back
to an older version but a backup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from antiphon_server.store.database import Database, reason
from antiphon_server.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

SCRIPTS = "antiphon_server.store:migrations"
NEWEST = "0002"
"""The last revision there is."""
LOCK = 0x616E7469
"""The advisory lock of PostgreSQL that one upgrade at a time may hold: any number of our own."""


class NewerDatabase(Exception):
    """The database has tables of a later version; the message says what to do."""


class UnfitDatabase(Exception):
    """The tables cannot be made, or are not all there; the message says what to do."""


def upgrade(database: Database) -> None:
    """Brings a database to this version's tables; it may be empty, and may be there already.

    Several processes may do it at once: one upgrades, the others wait. Raises ``Unreachable``,
    ``NewerDatabase`` for one that a later version has upgraded, and ``UnfitDatabase``.
    """
    try:
        # Alembic takes longer to load than all else in a restart, and is hardly ever needed.
        if database.now(_revisions, writes=False) != [NEWEST]:
            database.now(_upgrade)
        missing = database.now(_missing, writes=False)
    except sa.exc.DBAPIError as failure:
        raise UnfitDatabase(
            f"{database.shown} does not take Antiphon's tables ({reason(failure)}): use a "
            "database of Antiphon's own, as a user who owns it"
        ) from failure
    if missing:
        raise UnfitDatabase(
            f"{database.shown} lacks tables that an earlier start made "
            f"({', '.join(missing)}): restore a backup"
        )


def _missing(connection: sa.Connection) -> list[str]:
    return sorted(metadata.tables.keys() - sa.inspect(connection).get_table_names())


def _revisions(connection: sa.Connection) -> list[str]:
    """What the database says of itself; nothing where it is new."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return []
    table = sa.table("alembic_version", sa.column("version_num", sa.String))
    return list(connection.execute(sa.select(table.c.version_num)).scalars())


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 (see above)
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    scripts = configuration()
    _refuse_newer(connection, ScriptDirectory.from_config(scripts))
    scripts.attributes["connection"] = connection
    command.upgrade(scripts, "head")


def _refuse_newer(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = set(_revisions(connection)) - known
    if unknown:
        raise NewerDatabase(
            f"{connection.engine.url.set(query={})} was upgraded by a newer Antiphon (to revision "
            f"{', '.join(sorted(unknown))}; this one knows {scripts.get_current_head()}): install "
            "that version again, or restore a backup"
        )


def configuration() -> Config:
    """What Alembic is told, in place of an alembic.ini."""
    from alembic.config import Config  # noqa: PLC0415 (see above)

    scripts = Config()
    scripts.set_main_option("script_location", SCRIPTS)
    scripts.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
    return scripts
