"""What Alembic runs for every command; ``store.migrate`` hands it an open connection."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from antiphon_server.store.tables import Document, metadata


def as_in_the_database(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """How a new revision writes a type: as it is stored, so that it never changes with ours."""
    return "sa.Text()" if kind == "type" and isinstance(item, Document) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=as_in_the_database,
    # SQLite cannot alter a table: Alembic copies it instead.
    render_as_batch=True,
)
context.run_migrations()
