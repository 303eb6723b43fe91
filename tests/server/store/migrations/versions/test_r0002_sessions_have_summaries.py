"""The second revision: summaries of sessions, which those that there are do not have yet."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command

from antiphon_server.store import history
from antiphon_server.store.database import Database
from antiphon_server.store.migrate import configuration, upgrade
from antiphon_server.store.tables import session_summaries
from server.store.talk import NOON

ROW = {
    "id": "sess_old",
    "account": "acme",
    "node": "n",
    "status": "completed",
    "config": "{}",
    "created_at": NOON,
    "ended_at": NOON + 9,
    "duration_seconds": 9.0,
}
SAID = """{"item_id": "item_1", "text": "Hello from the past.", "started_ms": 1, "ended_ms": 2,
    "spoken": true}"""


def _first(connection: sa.Connection) -> None:
    scripts = configuration()
    scripts.attributes["connection"] = connection
    command.upgrade(scripts, "0001")


def _tell(connection: sa.Connection) -> None:
    names = ", ".join(ROW)
    values = ", ".join(f":{name}" for name in ROW)
    connection.execute(sa.text(f"INSERT INTO sessions ({names}) VALUES ({values})"), ROW)  # noqa: S608
    connection.execute(
        sa.text(
            "INSERT INTO session_records (session_id, seq, kind, body, at)"
            " VALUES ('sess_old', 1, 'user_said', :body, :at)"
        ),
        {"body": SAID, "at": NOON + 1},
    )


async def test_a_database_of_the_first_version_keeps_its_sessions(tmp_path: Path) -> None:
    """They are listed at once, and get their summaries while the server runs."""
    database = Database(f"sqlite:///{tmp_path}/antiphon.db")
    database.now(_first)
    database.now(_tell)
    upgrade(database)

    def found(connection: sa.Connection) -> str | None:
        entry = history.find(connection, "acme", "sess_old")
        assert entry is not None
        return entry.summary.first_words

    assert database.now(found) == "Hello from the past."
    assert await history.fill(database) == 1
    query = sa.select(session_summaries.c.words)
    words = database.now(lambda connection: connection.execute(query).scalar_one())
    assert words == "hello from the past."
    assert await history.fill(database) == 0
    assert database.now(found) == "Hello from the past."
    database.dispose()
