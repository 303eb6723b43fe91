"""Where a server keeps its data, from its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from antiphon_server.settings import Settings, SettingsError

DATABASE_FILE = "antiphon.db"


def data_folder(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of ``data_dir``, which need not be there yet.

    By default ``antiphon`` where the XDG base directory specification puts the data of programs.
    Raises ``SettingsError`` where that is nowhere.
    """
    if settings.data_dir:
        return _expanded("ANTIPHON_DATA_DIR", settings.data_dir)
    home = environment.get("XDG_DATA_HOME", "")
    if Path(home).is_absolute():
        return Path(home, "antiphon")
    try:
        return Path.home() / ".local" / "share" / "antiphon"
    except RuntimeError:
        raise SettingsError(
            "there is no home folder to keep data in: set ANTIPHON_DATA_DIR"
        ) from None


def journal_folder(settings: Settings) -> Path | None:
    """The folder of ``journal_dir``, which need not be there yet; None where there is to be none.

    Raises ``SettingsError`` where it is nowhere.
    """
    if not settings.journal_dir:
        return None
    return _expanded("ANTIPHON_JOURNAL_DIR", settings.journal_dir)


def _expanded(setting: str, text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise SettingsError(
            f"{setting} cannot be used: there is no home folder for {text}"
        ) from None


def database_url(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The address of ``database_url``; by default of a SQLite file in the data folder.

    Raises ``SettingsError`` where that cannot be.
    """
    if settings.database_url:
        return settings.database_url
    file = str(data_folder(settings, environment) / DATABASE_FILE)
    return sa.URL.create("sqlite", database=file).render_as_string(hide_password=False)


def database_setting(settings: Settings) -> str:
    """The setting that says where the database is."""
    return "ANTIPHON_DATABASE_URL" if settings.database_url else "ANTIPHON_DATA_DIR"
