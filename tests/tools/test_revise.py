"""The next revision of the database is written from what changed in the tables."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from antiphon_server.store.database import Database
from revise import main, revise


def test_the_next_revision_is_numbered_and_says_what_is_missing(
    database: Database, tmp_path: Path
) -> None:
    """Here the table of agents, with the types as the database has them: a revision must not
    change when ours do.
    """
    drop = sa.text("DROP TABLE agents")
    database.now(lambda connection: connection.execute(drop))
    path = revise(database, "Agents again", tmp_path)
    text = path.read_text("utf-8")
    assert path.name == "r0003_agents_again.py"
    assert text.startswith('"""Agents again."""')
    assert "revision = '0003'\ndown_revision = '0002'" in text
    assert "sa.Column('body', sa.Text(), nullable=False)" in text
    assert "antiphon_server" not in text
    compile(text, path, "exec")


def test_tables_that_are_as_declared_need_nothing(database: Database, tmp_path: Path) -> None:
    """The revision is empty."""
    text = revise(database, "Nothing", tmp_path).read_text("utf-8")
    assert "op." not in text
    assert text.rstrip().endswith("pass")


@pytest.mark.parametrize("arguments", [[], ["two", "messages"]])
def test_a_revision_needs_one_message(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise it is told how, and nothing is written."""
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
