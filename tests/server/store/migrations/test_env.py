"""What Alembic runs: how a new revision writes the types of our columns."""

from pathlib import Path

import sqlalchemy as sa

from antiphon_server.store.database import Database
from antiphon_server.store.tables import Document, agents
from revise import revise


def test_a_revision_has_types_of_the_database_and_none_of_ours(
    database: Database, tmp_path: Path
) -> None:
    """So it does what it did when it was written, whatever becomes of ``Document``."""
    assert isinstance(agents.c.body.type, Document)
    drop = sa.text("ALTER TABLE agents DROP COLUMN body")
    database.now(lambda connection: connection.execute(drop))
    text = revise(database, "Bodies again", tmp_path).read_text("utf-8")
    assert "batch_op.add_column(sa.Column('body', sa.Text(), nullable=False))" in text
    assert "Document" not in text
