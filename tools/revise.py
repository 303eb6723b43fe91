"""Write the next revision of the database: what changed in store/tables.py since the last one.

    .venv/bin/python tools/revise.py "Agents have owners"

Read what it wrote before it is committed: a column that was renamed looks like one that was
dropped and another that was added, and a column that may not be null needs a value for the rows
there are.
"""

import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.script import Script, ScriptDirectory

from antiphon_server.store.database import Database
from antiphon_server.store.migrate import UnfitDatabase, configuration, upgrade


def revise(database: Database, message: str, folder: Path | None = None) -> Path:
    """Write the revision that brings `database`, which has all others, to the tables.

    It is written among the others, or into `folder`. Return its path.
    """
    return database.now(partial(_write, message=message, folder=folder))


def _write(connection: sa.Connection, message: str, folder: Path | None) -> Path:
    scripts = configuration()
    scripts.attributes["connection"] = connection
    directory = ScriptDirectory.from_config(scripts)
    if folder is not None:
        scripts.set_main_option("path_separator", "newline")
        scripts.set_main_option("version_locations", f"{directory.versions}\n{folder}")
    made = command.revision(
        scripts,
        message,
        autogenerate=True,
        rev_id=f"{int(directory.get_current_head() or 0) + 1:04}",
        version_path=None if folder is None else str(folder),
    )
    if not isinstance(made, Script):
        raise TypeError(f"one revision was to be written, and not {made!r}")
    path = Path(made.path)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ###" not in line), "utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Write the next revision with the message given; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write('usage: revise.py "WHAT CHANGED"\n')
        return 2
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/antiphon.db")
        # A table that is new is missing as yet.
        with suppress(UnfitDatabase):
            upgrade(database)
        revise(database, arguments[0])
        database.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
