"""Fixtures that every test may ask for."""

from databases import database, database_url, postgres, postgres_shelf, sqlite_template

__all__ = ["database", "database_url", "postgres", "postgres_shelf", "sqlite_template"]
