"""Where the data is."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_server.settings import Settings, SettingsError
from antiphon_server.store.database import Database
from antiphon_server.store.location import (
    data_folder,
    database_setting,
    database_url,
    journal_folder,
)


def test_the_setting_counts_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, from where the server was started, and with a home folder in it."""
    assert data_folder(Settings(data_dir=str(tmp_path)), {"XDG_DATA_HOME": "/x"}) == tmp_path
    monkeypatch.chdir(tmp_path)
    assert data_folder(Settings(data_dir="here"), {}) == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder(Settings(data_dir="~/data"), {}) == tmp_path / "data"


def test_by_default_it_is_where_programs_keep_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The XDG base directory specification: a relative path is to be ignored."""
    monkeypatch.setenv("HOME", str(tmp_path))
    own = tmp_path / ".local" / "share" / "antiphon"
    assert data_folder(Settings(), {"XDG_DATA_HOME": "/data"}) == Path("/data/antiphon")
    for environment in ({}, {"XDG_DATA_HOME": ""}, {"XDG_DATA_HOME": "data"}):
        assert data_folder(Settings(), environment) == own


def test_without_a_home_it_must_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in some containers."""
    monkeypatch.setattr(Path, "home", _no_home)
    with pytest.raises(SettingsError, match="ANTIPHON_DATA_DIR"):
        data_folder(Settings(), {})


def test_the_home_of_a_user_that_there_is_not_cannot_be_used() -> None:
    """The message names the setting."""
    nobodys = "~no-such-user/data"
    with pytest.raises(SettingsError, match=r"ANTIPHON_DATA_DIR .* ~no-such-user/data"):
        data_folder(Settings(data_dir=nobodys), {})
    with pytest.raises(SettingsError, match=r"ANTIPHON_JOURNAL_DIR .* ~no-such-user/data"):
        journal_folder(Settings(journal_dir=nobodys))


def test_journals_are_where_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nowhere by default; a home folder is written as for the data."""
    assert journal_folder(Settings()) is None
    monkeypatch.setenv("HOME", str(tmp_path))
    assert journal_folder(Settings(journal_dir="~/journals")) == tmp_path / "journals"


def test_the_setting_of_the_database_is_the_one_that_counts() -> None:
    """So that messages name the one to change."""
    assert database_setting(Settings()) == "ANTIPHON_DATA_DIR"
    assert database_setting(Settings(database_url="postgresql://h/d")) == "ANTIPHON_DATABASE_URL"


def test_the_database_is_a_file_there_unless_another_is_named(tmp_path: Path) -> None:
    """Whatever the folder is called."""
    url = "postgresql://u:p@h/d"
    assert database_url(Settings(database_url=url)) == url
    for name in ("plain", "with space", "100%", "a#b", "ä", "a:b@c", "%2f", "semi;colon", "a?b=c"):
        folder = tmp_path / name
        opened = Database(database_url(Settings(data_dir=str(folder))))
        opened.now(lambda connection: connection.exec_driver_sql("CREATE TABLE x (y)"))
        opened.dispose()
        assert (folder / "antiphon.db").stat().st_size > 0


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")
