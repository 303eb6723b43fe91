"""What a server says that cannot start because of a folder, a database, an address or a key."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from antiphon_server.edge.backstage import Backstage, StartFailed
from antiphon_server.security.secrets import load_keys
from antiphon_server.settings import read
from antiphon_server.store.database import Database
from antiphon_server.store.migrate import upgrade
from server.edge.test_backstage import made, started
from server.security.created_keys import create, revoke


def _database(folder: Path) -> Database:
    """That of a server with this data folder, with its tables."""
    database = Database(f"sqlite:///{folder}/antiphon.db")
    upgrade(database)
    return database


@pytest.mark.parametrize("setting", ["ANTIPHON_DATA_DIR", "ANTIPHON_JOURNAL_DIR"])
@pytest.mark.parametrize("below", ["", "below"])
def test_a_folder_that_cannot_be_made_is_told_with_the_setting_to_change(
    tmp_path: Path, setting: str, below: str
) -> None:
    """Not with the name of another one, nor with the number of an error."""
    (tmp_path / "file").touch()
    environment = {
        "ANTIPHON_DATA_DIR": str(tmp_path / "data"),
        setting: str(tmp_path / "file" / below),
    }
    with pytest.raises(StartFailed, match=setting) as refused:
        Backstage(read(environment))
    assert str(tmp_path / "file") in str(refused.value)
    assert "Errno" not in str(refused.value)


async def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    """As when a backup was unpacked wrongly."""
    (tmp_path / "spool").touch()
    stage = made(tmp_path)
    with pytest.raises(StartFailed, match=r"spool is a file.* ANTIPHON_DATA_DIR"):
        await stage.start()
    await stage.close()


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        ("DATABASE_URL", "mysql://me:canary@host/x", "ANTIPHON_DATABASE_URL"),
        ("DATABASE_URL", "postgresql://me:canary@127.0.0.1:1/x", "refused.*ANTIPHON_DATABASE_URL"),
        ("PUBLIC_URL", "https://me:canary@host", "ANTIPHON_PUBLIC_URL.*https://voice"),
        ("ARTIFACTS_URL", "ftp://me:canary@host", "ANTIPHON_ARTIFACTS_URL"),
        ("OUTBOUND_ALLOW", "nowhere", "ANTIPHON_OUTBOUND_ALLOW"),
        ("DATA_DIR", "~no-such-user/x", "ANTIPHON_DATA_DIR"),
        ("JOURNAL_DIR", "~no-such-user/x", "ANTIPHON_JOURNAL_DIR"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    variable: str, text: str, told: str, tmp_path: Path
) -> None:
    """On one line, and no password of it is repeated."""
    environment = {"ANTIPHON_DATA_DIR": str(tmp_path), f"ANTIPHON_{variable}": text}
    with pytest.raises(StartFailed, match=told) as refused:
        Backstage(read(environment))
    assert "canary" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer Antiphon"),
        ("DROP TABLE sessions", "lacks tables"),
    ],
)
def test_a_database_of_another_state_is_told_with_where_it_is(
    tmp_path: Path, statement: str, told: str
) -> None:
    """By default it is in the data folder."""
    database = _database(tmp_path)
    database.now(lambda connection: connection.execute(sa.text(statement)))
    database.dispose()
    with pytest.raises(StartFailed, match=f"{told}.*ANTIPHON_DATA_DIR"):
        made(tmp_path)


def test_other_secret_keys_than_those_of_the_database_refuse_the_start(tmp_path: Path) -> None:
    """As when the file is lost and a new one is made: every API key would be refused, and nobody
    could tell why. Once those are revoked it starts.
    """
    load_keys((), tmp_path)
    database = _database(tmp_path)
    key_id, text = create(database)
    with pytest.raises(StartFailed, match=f"{key_id}.*secret.key.*antiphon keys revoke") as refused:
        made(tmp_path)
    assert text not in str(refused.value)
    revoke(database, key_id)
    made(tmp_path).database.dispose()
    database.dispose()


async def test_with_another_way_in_secret_keys_that_do_not_fit_are_an_error_in_the_log(
    tmp_path: Path,
) -> None:
    """A key of the settings is one: the operator decides."""
    load_keys((), tmp_path)
    database = _database(tmp_path)
    key_id, _ = create(database)
    with capture_logs() as logs:
        async with started(tmp_path, API_KEYS="open-sesame"):
            pass
    said = [line["reason"] for line in logs if line["log_level"] == "error"]
    assert len(said) == 1
    assert key_id in said[0]
    database.dispose()
